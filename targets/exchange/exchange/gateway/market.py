"""Public market data, answered from the engine's latest feed: as fresh as the link to the engine is."""

from collections.abc import Sequence
from typing import Any

import orjson
from service.wall import wall_ms

from exchange.failures import Refusal, internal_error
from exchange.gateway.call import MIN_NOTIONAL_USDT, Call, optional_symbol, symbol_of, whole_number
from exchange.venue import SYMBOLS, Symbol, decimal_text

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
FUNDING_PERIOD_MS = 8 * 3600 * 1000
FUNDING_RATE = "0.00010000"
MOST_FUNDING_RATES = 1000


class Market:
    """The latest snapshot of all symbols (see `exchange.engine.feed`)."""

    def __init__(self, rate_limits: list[dict[str, object]]) -> None:
        self._snapshot: dict[str, dict[str, Any]] = {}
        self._rate_limits = rate_limits
        self.marks: Sequence[int] = [symbol.opening_ticks for symbol in SYMBOLS]

    @property
    def known(self) -> bool:
        """Whether any market data has come."""
        return bool(self._snapshot)

    def update(self, snapshot: dict[str, dict[str, Any]]) -> None:
        """Take over a snapshot from the engine."""
        self._snapshot = snapshot
        self.marks = [snapshot[symbol.name]["mark"] for symbol in SYMBOLS]

    def snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """What the engine last said of `symbol`; raises `Refusal` -1001 before it has said anything."""
        if not self._snapshot:
            raise internal_error()
        return self._snapshot[symbol.name]

    async def ping(self, _call: Call) -> bytes:
        """`GET /fapi/v1/ping`."""
        return b"{}"

    async def time(self, _call: Call) -> bytes:
        """`GET /fapi/v1/time`."""
        return orjson.dumps({"serverTime": wall_ms()})

    async def exchange_info(self, _call: Call) -> bytes:
        """`GET /fapi/v1/exchangeInfo`."""
        return orjson.dumps(
            {
                "timezone": "UTC",
                "serverTime": wall_ms(),
                "futuresType": "U_MARGINED",
                "rateLimits": self._rate_limits,
                "exchangeFilters": [],
                "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
                "symbols": [_contract(symbol) for symbol in SYMBOLS],
            }
        )

    async def depth(self, call: Call) -> bytes:
        """`GET /fapi/v1/depth`: at most the 100 levels of the feed, whatever larger limit is asked."""
        symbol = symbol_of(call.parameters)
        limit = whole_number(call.parameters, b"limit", 500)
        if limit not in DEPTH_LIMITS:
            raise Refusal(400, -4021, f"Invalid depth limit; valid limits are {list(DEPTH_LIMITS)}.")
        depth = self.snapshot(symbol)["depth"]
        return orjson.dumps(depth | {"bids": depth["bids"][:limit], "asks": depth["asks"][:limit]})

    async def ticker(self, call: Call) -> bytes:
        """`GET /fapi/v1/ticker/24hr`: statistics since the engine started."""
        symbol = optional_symbol(call.parameters)
        if symbol is not None:
            return orjson.dumps(self.snapshot(symbol)["ticker"])
        return orjson.dumps([self.snapshot(each)["ticker"] for each in SYMBOLS])

    async def premium_index(self, call: Call) -> bytes:
        """`GET /fapi/v1/premiumIndex`: mark prices."""
        symbol = optional_symbol(call.parameters)
        if symbol is not None:
            return orjson.dumps(self.premium(symbol))
        return orjson.dumps([self.premium(each) for each in SYMBOLS])

    def premium(self, symbol: Symbol) -> dict[str, object]:
        """Mark price and funding of `symbol`, as `/fapi/v1/premiumIndex` tells them."""
        now_ms = wall_ms()
        mark = decimal_text(self.marks[symbol.index], symbol.price_decimals)
        return {
            "symbol": symbol.name,
            "markPrice": mark,
            "indexPrice": mark,
            "lastFundingRate": FUNDING_RATE,
            "interestRate": FUNDING_RATE,
            "nextFundingTime": (now_ms // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS,
            "time": now_ms,
        }

    async def funding_rates(self, call: Call) -> bytes:
        """`GET /fapi/v1/fundingRate`: the rate of the latest periods, which never changes here; nobody pays it."""
        wanted = optional_symbol(call.parameters)
        count = min(whole_number(call.parameters, b"limit", 100) or 100, MOST_FUNDING_RATES)
        symbols = [symbol for symbol in SYMBOLS if wanted in (None, symbol)]
        latest_ms = wall_ms() // FUNDING_PERIOD_MS * FUNDING_PERIOD_MS
        return orjson.dumps(
            [
                {"symbol": symbol.name, "fundingTime": time_ms, "fundingRate": FUNDING_RATE}
                for time_ms in range(latest_ms - (count - 1) * FUNDING_PERIOD_MS, latest_ms + 1, FUNDING_PERIOD_MS)
                for symbol in symbols
            ][-count:]
        )


def _contract(symbol: Symbol) -> dict[str, object]:
    limits = {"minQty": symbol.lot, "maxQty": "100000", "stepSize": symbol.lot}
    return {
        "symbol": symbol.name,
        "pair": symbol.name,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "baseAsset": symbol.base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": symbol.price_decimals,
        "quantityPrecision": symbol.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "liquidationFee": "0.0125",
        "marketTakeBound": "0.05",
        "triggerProtect": "0.05",
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": symbol.tick,
                "maxPrice": "10000000",
                "tickSize": symbol.tick,
            },
            {"filterType": "LOT_SIZE", **limits},
            {"filterType": "MARKET_LOT_SIZE", **limits},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": str(MIN_NOTIONAL_USDT)},
        ],
    }
