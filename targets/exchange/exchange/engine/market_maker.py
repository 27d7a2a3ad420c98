"""A market maker inside the engine: a ladder of quotes around a fair price that leans against its inventory.

It is a participant like any other: its orders pass the same loop, rest in the same book and wait their turn.
"""

import math

from exchange.engine.book import Order
from exchange.engine.matching import Exchange
from exchange.engine.withdrawal import Withdrawal
from exchange.venue import SYMBOLS

LEVELS = 40
NOTIONAL_PER_LEVEL_USDT = 300_000
SPACING_PER_10_000 = 1  # one hundredth of a percent between levels
LEVELS_PER_STEP = 10


class MarketMaker:
    """The quotes of one symbol, `level_usdt` at each price; `refresh` is the work that the loop runs.

    The fair price moves by one spacing for an inventory of `levels_per_step` levels: with fewer, it follows those who
    sell, and does not come back. With a `withdrawal` it quotes less while the price moves.
    """

    def __init__(
        self,
        exchange: Exchange,
        symbol: int,
        level_usdt: int = NOTIONAL_PER_LEVEL_USDT,
        levels_per_step: int = LEVELS_PER_STEP,
        withdrawal: Withdrawal | None = None,
    ) -> None:
        self._withdrawal = withdrawal or Withdrawal(0.0)
        self._fair = SYMBOLS[symbol].opening_ticks
        self._exchange = exchange
        self._symbol = symbol
        opening = SYMBOLS[symbol].opening_ticks
        self._opening_lots = exchange.ledger.house.positions[symbol].lots
        self._spacing = max(1, opening * SPACING_PER_10_000 // 10_000)
        lots_per_usdt = 1e8 / (opening * SYMBOLS[symbol].unit_value)
        self._size = max(1, int(level_usdt * lots_per_usdt))
        self._lots_per_step = max(1, int(levels_per_step * level_usdt * lots_per_usdt))

    def refresh(self, now_ms: int) -> None:
        """Withdraw quotes that are no longer wanted and fill up those that were taken."""
        house = self._exchange.ledger.house
        wanted = self._ladder(now_ms)
        standing: dict[tuple[bool, int], int] = {}
        for order in [order for order in house.open_orders.values() if order.symbol == self._symbol]:
            place = (order.buy, order.price)
            if place in wanted:
                standing[place] = standing.get(place, 0) + order.remaining
            else:
                self._exchange.withdraw(house, order, now_ms)
        for (buy, price), lots in wanted.items():
            missing = lots - standing.get((buy, price), 0)
            if missing > 0:
                order = Order(
                    self._exchange.next_order_id(), house.number, self._symbol, buy, price, missing,
                    client_id="house", created_ms=now_ms, updated_ms=now_ms,
                )  # fmt: skip
                self._exchange.submit(house, order)

    def _ladder(self, now_ms: int) -> dict[tuple[bool, int], int]:
        inventory = self._exchange.ledger.house.positions[self._symbol].lots - self._opening_lots
        fair = SYMBOLS[self._symbol].opening_ticks - (inventory // self._lots_per_step) * self._spacing
        if fair != self._fair and fair > 0 < self._fair:
            self._withdrawal.moved(math.log(fair / self._fair), now_ms)
        self._fair = fair
        size = max(1, int(self._size * self._withdrawal.share(now_ms)))
        return {
            (buy, fair + (-level if buy else level) * self._spacing): size
            for level in range(1, LEVELS + 1)
            for buy in (True, False)
        }
