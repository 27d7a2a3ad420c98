"""Finds the accounts that a price has brought down without looking at all the others.

An account's cushion is shared out among its positions. While no mark has gone so far against a position that its share
is used up, the account is sound; so it waits in a heap per symbol and direction, at the price where that would be, and
is looked at again when the mark is there. With one position that is its liquidation price.
"""

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

from exchange.engine.ledger import Account
from exchange.engine.margin import Margin, liquidation_price

_SLACK = 1_024  # entries of a heap that may be out of date, beyond as many as there are good ones


class MarginWatch:
    """Calls `due` once with each account that must be liquidated, after it has marked it as `liquidating`."""

    def __init__(
        self, margin: Margin, marks: Sequence[int], accounts: Sequence[Account], due: Callable[[Account], None]
    ) -> None:
        self._margin = margin
        self._marks = marks
        self._accounts = accounts
        self._due = due
        # By symbol and direction (a fall, a rise): who waits at which key, and the same as a heap, nearest first.
        self._keys: list[dict[int, int]] = [{} for _ in range(2 * len(marks))]
        self._heaps: list[list[tuple[int, int]]] = [[] for _ in range(2 * len(marks))]
        self._holders: deque[Account] = deque(account for account in accounts if account.collateral)
        self._unseen = 0

    def examine(self, account: Account) -> None:
        """Look at an account whose wallet, positions or prices have changed."""
        if account.house or account.liquidating:
            return
        held = account.held()
        cushion = self._margin.cushion(account)
        if cushion < 0 or (held and cushion == 0):
            account.liquidating = True
            self._due(account)
            return
        for symbol in held:
            lots = account.positions[symbol].lots
            price = liquidation_price(symbol, lots, self._marks[symbol], max(1, cushion // len(held)))
            if price is not None:
                self._wait(2 * symbol + (lots < 0), account.number, price if lots < 0 else -price)

    def moved(self, symbol: int) -> None:
        """Look at the accounts that the new mark of `symbol` has reached."""
        mark = self._marks[symbol]
        for place, reached in ((2 * symbol, -mark), (2 * symbol + 1, mark)):
            heap, keys = self._heaps[place], self._keys[place]
            while heap and heap[0][0] <= reached:
                key, number = heappop(heap)
                if keys.get(number) == key:
                    del keys[number]
                    self.examine(self._accounts[number])

    def revalued(self, *, changed: bool, limit: int) -> None:
        """Collateral may have `changed` in price: look at up to `limit` of its holders, each in its turn."""
        if changed:
            self._unseen = len(self._holders)
        for _ in range(min(limit, self._unseen)):
            self._unseen -= 1
            self._holders.rotate(-1)
            self.examine(self._holders[-1])

    def _wait(self, place: int, number: int, key: int) -> None:
        """Let an account wait; one that waits nearer already is looked at too early, which does no harm."""
        keys, heap = self._keys[place], self._heaps[place]
        known = keys.get(number)
        if known is not None and known <= key:
            return
        keys[number] = key
        heappush(heap, (key, number))
        if len(heap) > 2 * len(keys) + _SLACK:
            heap[:] = [(key, number) for number, key in keys.items()]
            heapify(heap)
