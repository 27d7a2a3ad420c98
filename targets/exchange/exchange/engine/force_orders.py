"""Which liquidations the venue's public feed shows: in each second one of a symbol, or all of them.

Until April 2026 the one was the latest, since then it is the largest. What is left out is counted all the same, so that
true over published liquidations is a figure.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.arguments import FORCE_ORDER_FEEDS
from exchange.engine.book import Order
from exchange.engine.ledger import UNIT_VALUES

WINDOW_MS = 1_000
LATEST, LARGEST, ALL = FORCE_ORDER_FEEDS


class ForceOrders:
    """Collects executed liquidation orders: `executed` counts them, `published` those that `due` gave out."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._kept: dict[int, Order] = {}
        self._all: list[Order] = []
        self._window = 0
        self.executed = 0
        self.published = 0

    def add(self, order: Order) -> None:
        """A liquidation order was executed, as far as the book took it."""
        self.executed += 1
        if self._feed == ALL:
            self._all.append(order)
            return
        kept = self._kept.get(order.symbol)
        if kept is None or self._feed == LATEST or _value(order) > _value(kept):
            self._kept[order.symbol] = order

    def due(self, now_ms: int) -> list[Order]:
        """What is to be published now; a window of a second is over at its end."""
        orders, self._all = self._all, []
        if self._kept and now_ms // WINDOW_MS != self._window:
            orders += self._kept.values()
            self._kept.clear()
        self._window = now_ms // WINDOW_MS
        self.published += len(orders)
        return orders


class ForceOrderCollector(Collector):
    """True and published liquidations."""

    def __init__(self, force_orders: ForceOrders) -> None:
        self._force_orders = force_orders

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield CounterMetricFamily(
            "exchange_liquidations", "Liquidation orders that were executed", value=self._force_orders.executed
        )
        yield CounterMetricFamily(
            "exchange_liquidations_published",
            "Liquidation orders that the public feed showed",
            value=self._force_orders.published,
        )


def _value(order: Order) -> int:
    return order.value * UNIT_VALUES[order.symbol]
