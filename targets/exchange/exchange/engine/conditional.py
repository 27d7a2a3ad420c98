"""Conditional orders: kept aside until a price reaches their trigger. Pure: no clock, no accounts.

Nobody checks the margin of one that waits, so it may fail when it is due; and what it sends then waits in the same
queue as everybody's orders, so under load a stop comes late.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from exchange.failures import Refusal

MAX_CONDITIONAL_ORDERS = 100
MARKET_KINDS = frozenset({"STOP_MARKET", "TAKE_PROFIT_MARKET"})
_STOPS = frozenset({"STOP", "STOP_MARKET"})


@dataclass(slots=True, eq=False)
class ConditionalOrder:
    """One conditional order, from acceptance to its end. `trigger` and `price` are in ticks, `lots` in lots.

    `closes` stands for the whole position, whatever it is by then. `order_id` is that of the order which it became.
    """

    algo_id: int
    account: int
    symbol: int
    buy: bool
    kind: str
    trigger: int
    price: int
    lots: int
    time_in_force: str
    client_id: str
    reduce_only: bool
    closes: bool
    by_mark: bool
    status: str = "NEW"
    created_ms: int = 0
    updated_ms: int = 0
    triggered_ms: int = 0
    order_id: int = 0

    @property
    def rises(self) -> bool:
        """Whether a price at or above the trigger sets it off; else one at or below."""
        return self.buy == (self.kind in _STOPS)

    @property
    def lowers_risk(self) -> bool:
        """Whether it can only reduce its account's position."""
        return self.reduce_only or self.closes

    def is_reached(self, price: int) -> bool:
        """Whether `price` sets it off."""
        return price >= self.trigger if self.rises else price <= self.trigger


class ConditionalOrders:
    """All conditional orders that wait, by account and by how near they are to their trigger.

    `outcomes` counts how they ended: `sent`, `rejected`, `shed`, `cancelled`. `changed`, where it is set, is called
    with each that has another status.
    """

    def __init__(self, symbols: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.changed: Callable[[ConditionalOrder], None] | None = None
        self._ids = count(1)
        self._by_account: dict[int, dict[int, ConditionalOrder]] = {}
        # For each symbol and price (last, mark): those that wait for a rise, and those that wait for a fall, nearest
        # first. One that was cancelled stays in its heap until it is its turn.
        self._waiting: list[list[tuple[int, int, ConditionalOrder]]] = [[] for _ in range(4 * symbols)]

    def next_id(self) -> int:
        """A fresh algo id."""
        return next(self._ids)

    def add(self, order: ConditionalOrder) -> None:
        """Keep `order`; raises `Refusal` -4116 or -4045 where its account has one of that id, or too many."""
        own = self._by_account.setdefault(order.account, {})
        if any(order.client_id == known.client_id for known in own.values()):
            raise Refusal(400, -4116, "ClientOrderId is duplicated.")
        if len(own) >= MAX_CONDITIONAL_ORDERS:
            raise Refusal(400, -4045, "Reach max stop order limit.")
        own[order.algo_id] = order
        key = order.trigger if order.rises else -order.trigger
        heappush(self._waiting[_place(order.symbol, by_mark=order.by_mark) + order.rises], (key, order.algo_id, order))
        if self.changed is not None:
            self.changed(order)

    def find(self, account: int, algo_id: int | None, client_id: str | None) -> ConditionalOrder | None:
        """The account's order that waits or is being sent, by either id."""
        own = self._by_account.get(account, {})
        if algo_id is not None:
            return own.get(algo_id)
        return next((order for order in own.values() if order.client_id == client_id), None)

    def of(self, account: int) -> list[ConditionalOrder]:
        """All of an account's orders that wait or are being sent, oldest first."""
        return list(self._by_account.get(account, {}).values())

    def end(self, order: ConditionalOrder, status: str, outcome: str, now_ms: int) -> None:
        """It is over: forget it, and count why."""
        order.status = status
        order.updated_ms = now_ms
        self.outcomes[outcome] += 1
        own = self._by_account[order.account]
        del own[order.algo_id]
        if not own:
            del self._by_account[order.account]
        if self.changed is not None:
            self.changed(order)

    def due(self, symbol: int, last: int, mark: int) -> Iterator[ConditionalOrder]:
        """Yield what these prices set off, nearest trigger first; each is yielded once, as `TRIGGERING`."""
        for by_mark, price in ((False, last), (True, mark)):
            place = _place(symbol, by_mark=by_mark)
            for heap, reached in ((self._waiting[place], -price), (self._waiting[place + 1], price)):
                while heap and heap[0][0] <= reached:
                    order = heappop(heap)[2]
                    if order.status == "NEW":
                        order.status = "TRIGGERING"
                        if self.changed is not None:
                            self.changed(order)
                        yield order


def _place(symbol: int, *, by_mark: bool) -> int:
    """Where the heap of those that wait for a fall is; that for a rise is behind it."""
    return 4 * symbol + 2 * by_mark
