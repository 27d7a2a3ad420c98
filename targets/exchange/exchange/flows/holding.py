"""People who hold a position: they look at it, look again in fear, place stops, and add margin where it is thin."""

import json
from decimal import Decimal
from typing import Any

from exchange.flows.client import Arrival, Client, Response
from exchange.flows.signed import spread, trader_of
from exchange.venue import SYMBOL_BY_NAME, decimal_text

POSITIONS = "/fapi/v3/positionRisk"
LOOKS = 4  # how often a frightened trader asks within one arrival
STALE_MS = 1000  # a position that is older than this frightens
STOP_PER_1_000 = (10, 41)  # a stop lies 1 % to 4 % from the mark price
THIN = 3  # margin is thin where the equity is less than so many times the maintenance margin
OK = 200


def positions(client: Client, arrival: Arrival) -> None:
    """One account asks for its positions: `GET /fapi/v3/positionRisk`, signed."""
    trader_of(client, arrival).get(POSITIONS)


def fear(client: Client, arrival: Arrival) -> None:
    """One account asks for its positions, and at once again while the answer is a failure or stale."""
    trader = trader_of(client, arrival)
    for _ in range(LOOKS):
        try:
            response = trader.get(POSITIONS)
        except ConnectionError:
            continue
        if response.status == OK and int(response.headers.get("x-position-age-ms", 0)) <= STALE_MS:
            return


def stop_loss(client: Client, arrival: Arrival) -> None:
    """One account protects one of its positions with a stop at the market, unless it has one: three requests."""
    trader = trader_of(client, arrival)
    held = _json(trader.get(POSITIONS)) or []
    if not held:
        return
    bits = spread(arrival.key)
    position = held[bits % len(held)]
    symbol, long = SYMBOL_BY_NAME[position["symbol"]], not position["positionAmt"].startswith("-")
    waiting = _json(trader.get("/fapi/v1/openAlgoOrders", f"symbol={symbol.name}"))
    if waiting is None or any(order.get("closePosition") for order in waiting):
        return
    nearest, farthest = STOP_PER_1_000
    away = nearest + (bits >> 8) % (farthest - nearest)
    ticks = int(Decimal(position["markPrice"]) / Decimal(symbol.tick)) * (1000 - away if long else 1000 + away) // 1000
    trigger = decimal_text(ticks, symbol.price_decimals)
    trader.post(
        "/fapi/v1/algoOrder",
        f"algoType=CONDITIONAL&symbol={symbol.name}&side={'SELL' if long else 'BUY'}&type=STOP_MARKET"
        f"&closePosition=true&triggerPrice={trigger}",
    )


def margin_top_up(client: Client, arrival: Arrival) -> None:
    """One account looks at its margin, and transfers what is missing of a comfortable one: two requests.

    What it is told may be stale: then it tops up twice, or too late, as its owner would.
    """
    trader = trader_of(client, arrival)
    account = _json(trader.get("/fapi/v3/account"))
    if account is None:
        return
    missing = THIN * Decimal(account["totalMaintMargin"]) - Decimal(account["totalMarginBalance"])
    if missing > 0:
        amount = missing.quantize(Decimal("0.01"), rounding="ROUND_UP")
        trader.post("/sapi/v1/asset/transfer", f"type=MAIN_UMFUTURE&asset=USDT&amount={amount}")


def _json(response: Response) -> Any | None:  # noqa: ANN401 - JSON
    return json.loads(response.body) if response.status == OK else None
