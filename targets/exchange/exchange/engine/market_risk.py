"""What the venue tells about its risk: open interest, the fund, the ADL queue, and an account's forced orders."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from exchange.engine.bodies import order_body
from exchange.engine.deleveraging import CLIENT_ID as DELEVERAGED_ID
from exchange.engine.deleveraging import Deleveraging
from exchange.engine.event_bodies import LIQUIDATION_ID
from exchange.engine.ledger import Account
from exchange.engine.liquidation import TAKE_OVER_ID
from exchange.engine.margin import Margin
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS, decimal_text, money_text

RANKED_FOR_MS = 30_000  # the venue renews its ADL quantiles every 30 s
COUNTED_FOR_MS = 1_000
QUANTILES = 5
_FORCED = {"LIQUIDATION": (LIQUIDATION_ID, TAKE_OVER_ID), "ADL": (DELEVERAGED_ID,)}


class MarketRisk:
    """Commands that only read. What takes a look at all accounts is kept for a while, as the venue does."""

    def __init__(self, exchange: Exchange, margin: Margin, fund: Account | None) -> None:
        self._exchange = exchange
        self._margin = margin
        self._fund = fund
        self._deleveraging = Deleveraging(exchange, margin)
        self._bounds: dict[tuple[int, bool], tuple[int, list[int]]] = {}
        self._open_lots: tuple[int, list[int]] | None = None

    @property
    def operations(self) -> dict[str, Callable[..., Any]]:
        """The commands by name, as the exchange calls them."""
        return {
            "forced orders": self.forced_orders,
            "adl quantiles": self.adl_quantiles,
            "open interest": self.open_interest,
            "insurance": self.insurance,
        }

    def forced_orders(
        self, _now_ms: int, account: Account, symbol: int | None, kind: str | None, limit: int
    ) -> list[dict[str, object]]:
        """The account's latest orders by liquidation or ADL (`kind`; None: both), oldest first."""
        starts = _FORCED[kind] if kind else sum(_FORCED.values(), ())
        return [
            order_body(order)
            for order in account.closed_orders.values()
            if order.client_id.startswith(starts) and symbol in (None, order.symbol)
        ][-limit:]

    def adl_quantiles(self, now_ms: int, account: Account, symbol: int | None) -> list[dict[str, object]]:
        """How near each position is to being deleveraged, against all on its side: 0 (far) to 4 (next)."""
        found: list[dict[str, object]] = []
        for held in account.held():
            if symbol in (None, held):
                bounds = self._ranked(held, long=account.positions[held].lots > 0, now_ms=now_ms)
                quantile = bisect_right(bounds, self._deleveraging.score(account, held))
                sides = {"LONG": quantile, "SHORT": quantile, "BOTH": quantile}
                found.append({"symbol": SYMBOLS[held].name, "adlQuantile": sides})
        return found

    def open_interest(self, now_ms: int, _account: Account, symbol: int) -> dict[str, object]:
        """The contracts that are open: the sum of all longs, which is that of all shorts."""
        if self._open_lots is None or now_ms >= self._open_lots[0] + COUNTED_FOR_MS:
            lots = [0] * len(SYMBOLS)
            for account in self._exchange.ledger.accounts:
                for index, position in enumerate(account.positions):
                    lots[index] += max(0, position.lots)
            self._open_lots = (now_ms, lots)
        counted_ms, lots = self._open_lots
        quantity = decimal_text(lots[symbol], SYMBOLS[symbol].quantity_decimals)
        return {"openInterest": quantity, "symbol": SYMBOLS[symbol].name, "time": counted_ms}

    def insurance(self, now_ms: int, _account: Account) -> dict[str, object]:
        """What the insurance fund is worth; one fund for all symbols."""
        balance = self._margin.equity(self._fund) if self._fund is not None else 0
        asset = {"asset": "USDT", "marginBalance": money_text(balance), "updateTime": now_ms}
        return {"symbols": [symbol.name for symbol in SYMBOLS], "assets": [asset]}

    def _ranked(self, symbol: int, *, long: bool, now_ms: int) -> list[int]:
        """The scores that part the holders of one side into fifths."""
        ranked_ms, bounds = self._bounds.get((symbol, long), (-RANKED_FOR_MS, []))
        if now_ms < ranked_ms + RANKED_FOR_MS:
            return bounds
        scores = sorted(
            self._deleveraging.score(account, symbol)
            for account in self._exchange.ledger.accounts
            if (account.positions[symbol].lots > 0 if long else account.positions[symbol].lots < 0)
        )
        bounds = [scores[len(scores) * part // QUANTILES] for part in range(1, QUANTILES)]
        self._bounds[symbol, long] = (now_ms, bounds)
        return bounds
