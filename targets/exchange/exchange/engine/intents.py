"""Double fills: what a client wanted once and got more than once, because it sent an order again of unknown fate.

A client order id `intent:NAME:ATTEMPT` says which orders stand for one and the same intent.
"""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

PREFIX = "intent:"
REMEMBERED = 200_000


class Intents(Collector):
    """Counts the orders that fill beside another order of the same intent, as far back as it remembers."""

    def __init__(self) -> None:
        self._filled_by: dict[str, set[int]] = {}
        self.filled = 0
        self.double_fills = 0

    def note(self, client_id: str, account: int, order_id: int) -> None:
        """An order of this client id, which begins with `PREFIX`, was filled, wholly or in part."""
        intent = f"{account}:{client_id.rpartition(':')[0]}"
        orders = self._filled_by.setdefault(intent, set())
        if order_id in orders:
            return
        orders.add(order_id)
        if len(orders) > 1:
            self.double_fills += 1
            return
        self.filled += 1
        if len(self._filled_by) > REMEMBERED:
            del self._filled_by[next(iter(self._filled_by))]

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield CounterMetricFamily(
            "exchange_intents_filled", "Intents of clients that an order has filled", value=self.filled
        )
        yield CounterMetricFamily(
            "exchange_double_fills",
            "Orders that were filled although another one of the same intent was",
            value=self.double_fills,
        )
