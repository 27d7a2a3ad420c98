"""Bots that send an order again where nothing certain was heard of it: one carelessly, one correctly.

Both name what they want in the client order id, `intent:NAME:ATTEMPT`, so that the engine can count the intents that
were filled by more than one order (`exchange_double_fills_total`).
"""

import json

from exchange.flows.client import Arrival, Client, Response
from exchange.flows.signed import Trader, trader_of
from exchange.flows.trading import market_form

ATTEMPTS = 4
UNAVAILABLE = 503
NOT_EXECUTED = frozenset({-1001, -1008})  # refusals after which an order was certainly not executed
NO_SUCH_ORDER = -2013


def naive_bot(client: Client, arrival: Arrival) -> None:
    """One market order; at a 503, a time-out or a broken connection it is sent again, as a new order.

    That is what retrying on ccxt's `NetworkError` does.
    """
    trader, name = trader_of(client, arrival), _name("n", arrival)
    for attempt in range(ATTEMPTS):
        response = _sent(trader, arrival.key, f"intent:{name}:{attempt}")
        if response is not None and response.status != UNAVAILABLE:
            return


def correct_bot(client: Client, arrival: Arrival) -> None:
    """One market order under one client order id; where its fate is unknown, the bot asks for it first.

    It is sent again only where the venue says that it does not exist, or that nothing was executed.
    """
    trader, client_id = trader_of(client, arrival), f"intent:{_name('c', arrival)}:0"
    symbol = market_form(arrival.key).partition("&")[0]
    for _ in range(ATTEMPTS):
        response = _sent(trader, arrival.key, client_id)
        if response is not None and response.status != UNAVAILABLE:
            return
        unknown = response is None or _code(response) not in NOT_EXECUTED
        if unknown and _exists(trader, f"{symbol}&origClientOrderId={client_id}") is not False:
            return


def _name(kind: str, arrival: Arrival) -> str:
    return f"{kind}{arrival.index:x}-{arrival.key:x}"


def _sent(trader: Trader, key: int, client_id: str) -> Response | None:
    try:
        return trader.post("/fapi/v1/order", f"{market_form(key)}&newClientOrderId={client_id}")
    except ConnectionError:
        return None


def _exists(trader: Trader, query: str) -> bool | None:
    """Whether the venue knows the order; None where it cannot be asked, and the order must not be sent again."""
    for _ in range(ATTEMPTS):
        try:
            response = trader.get("/fapi/v1/order", query)
        except ConnectionError:
            continue
        if response.status == 200:
            return True
        if _code(response) == NO_SUCH_ORDER:
            return False
    return None


def _code(response: Response) -> int:
    """The venue's error code, 0 where the body has none."""
    try:
        return int(json.loads(response.body).get("code", 0))
    except (ValueError, AttributeError):
        return 0
