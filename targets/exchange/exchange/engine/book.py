"""A limit order book with price-time priority. Pure: no clock, no accounts, whole numbers only."""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Order:
    """One order, from acceptance to its end. `price` is in ticks (0: market order), quantities in lots."""

    order_id: int
    account: int
    symbol: int
    buy: bool
    price: int
    lots: int
    kind: str = "LIMIT"
    time_in_force: str = "GTC"
    client_id: str = ""
    reduce_only: bool = False
    status: str = "NEW"
    filled: int = 0
    value: int = 0  # sum of ticks x lots over the fills
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def remaining(self) -> int:
        """Lots not yet filled."""
        return self.lots - self.filled


@dataclass(frozen=True, slots=True)
class Fill:
    """One match: `maker` gave `lots` at its own `price`."""

    maker: Order
    price: int
    lots: int


@dataclass(slots=True)
class Level:
    """All orders at one price, oldest first."""

    price: int
    orders: OrderedDict[int, Order] = field(default_factory=OrderedDict)
    lots: int = 0


class BookSide:
    """The bids or the asks: levels by price, the best one found in constant time."""

    def __init__(self, *, buy: bool) -> None:
        self._sign = 1 if buy else -1
        self._levels: dict[int, Level] = {}
        self._keys: list[int] = []  # sign x price, ascending: the best is last

    def best(self) -> Level | None:
        """The level with the best price, or None where the side is empty."""
        return self._levels[self._keys[-1] * self._sign] if self._keys else None

    def add(self, order: Order) -> None:
        """Rest `order` behind those already at its price."""
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = Level(order.price)
            insort(self._keys, order.price * self._sign)
        level.orders[order.order_id] = order
        level.lots += order.remaining

    def remove(self, order: Order) -> None:
        """Take a resting order out; raises `KeyError` where it does not rest here."""
        level = self._levels[order.price]
        del level.orders[order.order_id]
        level.lots -= order.remaining
        if not level.orders:
            self._drop(level)

    def reduce(self, level: Level, order: Order, lots: int) -> None:
        """Fill `lots` of the resting `order`, which leaves the book when nothing remains."""
        order.filled += lots
        order.value += lots * level.price
        level.lots -= lots
        if order.filled == order.lots:
            del level.orders[order.order_id]
            if not level.orders:
                self._drop(level)

    def _drop(self, level: Level) -> None:
        key = level.price * self._sign
        if self._keys[-1] == key:
            self._keys.pop()
        else:
            self._keys.remove(key)
        del self._levels[level.price]

    def levels(self) -> Iterator[Level]:
        """All levels, best first."""
        return (self._levels[key * self._sign] for key in reversed(self._keys))

    def top(self, count: int) -> list[tuple[int, int]]:
        """The best `count` levels as (price, lots), best first."""
        return [(key * self._sign, self._levels[key * self._sign].lots) for key in reversed(self._keys[-count:])]

    def available(self, limit_price: int | None, wanted_lots: int) -> int:
        """Lots that an order with `limit_price` (None: any price) could take, counted up to `wanted_lots`."""
        found = 0
        for key in reversed(self._keys):
            if limit_price is not None and key < limit_price * self._sign:
                break
            found += self._levels[key * self._sign].lots
            if found >= wanted_lots:
                break
        return found


class OrderBook:
    """Both sides of one symbol: the best price goes first and, at one price, the oldest order."""

    def __init__(self) -> None:
        self.bids = BookSide(buy=True)
        self.asks = BookSide(buy=False)

    def side(self, *, buy: bool) -> BookSide:
        """The side on which a buy (or sell) order rests."""
        return self.bids if buy else self.asks

    def would_cross(self, *, buy: bool, price: int) -> bool:
        """Whether an order at `price` would match at once."""
        best = self.side(buy=not buy).best()
        return best is not None and (best.price <= price if buy else best.price >= price)

    def match(self, taker: Order, limit_price: int | None) -> list[Fill]:
        """Fill `taker` at prices no worse than `limit_price` (None: any); does not rest the remainder."""
        opposite = self.side(buy=not taker.buy)
        fills: list[Fill] = []
        while taker.filled < taker.lots:
            level = opposite.best()
            if level is None:
                break
            if limit_price is not None and (level.price > limit_price if taker.buy else level.price < limit_price):
                break
            maker = next(iter(level.orders.values()))
            lots = min(taker.remaining, maker.remaining)
            opposite.reduce(level, maker, lots)
            taker.filled += lots
            taker.value += lots * level.price
            fills.append(Fill(maker, level.price, lots))
        return fills

    def rest(self, order: Order) -> None:
        """Let the remainder of `order` wait on its own side."""
        self.side(buy=order.buy).add(order)

    def cancel(self, order: Order) -> None:
        """Take a resting order out; raises `KeyError` where it does not rest."""
        self.side(buy=order.buy).remove(order)
