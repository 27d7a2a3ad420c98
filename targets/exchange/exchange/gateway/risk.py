"""The venue's risk over HTTP: forced orders, ADL quantiles, open interest, the fund, leverage and order counts."""

import orjson

from exchange.engine.margin import BRACKETS
from exchange.failures import Refusal, missing
from exchange.gateway.call import Call, optional_symbol, symbol_of, whole_number
from exchange.gateway.trading import Trading
from exchange.venue import LEVERAGE, MONEY_UNITS_PER_USDT, SYMBOLS, money_text

LARGEST_LEVERAGES = (125, 100, 50, 20, 10, 5, 4, 3, 2, 1)
"""By bracket, the venue's table of 2021-03-18 for BTCUSDT."""
FORCED_KINDS = {b"LIQUIDATION": "LIQUIDATION", b"ADL": "ADL"}
MOST_FORCED_ORDERS = 100
NOBODY = 0  # public figures are asked of the engine in this account's name
_RATE_SCALE = 10_000


class Risk:
    """Handlers of the endpoints; what only the engine knows waits in its queue like orders do."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading

    async def force_orders(self, call: Call) -> bytes:
        """`GET /fapi/v1/forceOrders`: the account's liquidation and ADL orders that the engine still knows."""
        symbol = optional_symbol(call.parameters)
        wanted = call.parameters.get(b"autoCloseType")
        if wanted is not None and wanted not in FORCED_KINDS:
            raise Refusal(400, -1106, "Parameter 'autoCloseType' is LIQUIDATION or ADL.")
        kind = FORCED_KINDS[wanted] if wanted else None
        limit = min(whole_number(call.parameters, b"limit", 50) or 50, MOST_FORCED_ORDERS)
        command = ["forced orders", call.account, None if symbol is None else symbol.index, kind, limit]
        return await self._trading.ask(call, command)

    async def adl_quantiles(self, call: Call) -> bytes:
        """`GET /fapi/v1/adlQuantile`: one object per open position."""
        symbol = optional_symbol(call.parameters)
        return await self._trading.ask(call, ["adl quantiles", call.account, None if symbol is None else symbol.index])

    async def open_interest(self, call: Call) -> bytes:
        """`GET /fapi/v1/openInterest`."""
        return await self._trading.ask(call, ["open interest", NOBODY, symbol_of(call.parameters).index])

    async def insurance_balance(self, call: Call) -> bytes:
        """`GET /fapi/v1/insuranceBalance`: the one fund that all symbols share."""
        optional_symbol(call.parameters)
        return await self._trading.ask(call, ["insurance", NOBODY])

    async def leverage_brackets(self, call: Call) -> bytes:
        """`GET /fapi/v1/leverageBracket`: the brackets by which the engine liquidates, the same for all symbols."""
        wanted = optional_symbol(call.parameters)
        brackets = _brackets()
        return orjson.dumps([{"symbol": each.name, "brackets": brackets} for each in SYMBOLS if wanted in (None, each)])

    async def set_leverage(self, call: Call) -> bytes:
        """`POST /fapi/v1/leverage`: here all orders have the same leverage, so any other is refused (-4028)."""
        symbol = symbol_of(call.parameters)
        leverage = whole_number(call.parameters, b"leverage")
        if leverage is None:
            raise missing("leverage")
        if leverage != LEVERAGE:
            raise Refusal(400, -4028, f"Leverage {leverage} is not valid; this venue's orders have {LEVERAGE}.")
        largest = max(bracket["notionalCap"] for bracket in _brackets() if bracket["initialLeverage"] >= leverage)
        return orjson.dumps({"leverage": leverage, "maxNotionalValue": str(largest), "symbol": symbol.name})


def _brackets() -> list[dict[str, float]]:
    """The engine's brackets in the venue's shape. The last one has no end; the venue shows a large cap there."""
    floors = [bracket.floor // MONEY_UNITS_PER_USDT for bracket in BRACKETS]
    caps = [*floors[1:], 500_000_000]
    return [
        {
            "bracket": number,
            "initialLeverage": leverage,
            "notionalCap": cap,
            "notionalFloor": floor,
            "maintMarginRatio": bracket.rate / _RATE_SCALE,
            "cum": float(money_text(bracket.amount)),
        }
        for number, (bracket, floor, cap, leverage) in enumerate(
            zip(BRACKETS, floors, caps, LARGEST_LEVERAGES, strict=True), 1
        )
    ]
