"""Auto-deleveraging: closes a bankrupt position against those on the other side who gain most with most leverage."""

from dataclasses import dataclass
from operator import attrgetter

from exchange.engine.ledger import UNIT_VALUES, Account
from exchange.engine.margin import Margin
from exchange.engine.matching import Exchange, HandOver

CLIENT_ID = "adl_autoclose"
RANKED_FOR_MS = 1_000
_SCALE = 10**6


@dataclass(frozen=True, slots=True)
class _Ranked:
    account: Account
    score: int


class Deleveraging:
    """Counts `closes` (counterparties) and `value` (money units) of what it closed."""

    def __init__(self, exchange: Exchange, margin: Margin) -> None:
        self._exchange = exchange
        self._margin = margin
        self._queues: dict[tuple[int, bool], tuple[int, list[_Ranked]]] = {}
        self.closes = 0
        self.value = 0

    def score(self, account: Account, symbol: int) -> int:
        """An account's rank, x 1e6: profit / cost x value / equity; divided by the leverage instead at a loss.

        An account with nothing left comes last: it cannot have profited.
        """
        position, equity = account.positions[symbol], self._margin.equity(account)
        value = position.lots * self._exchange.marks[symbol] * UNIT_VALUES[symbol]
        profit = value - position.cost * UNIT_VALUES[symbol]
        cost = max(1, abs(position.cost) * UNIT_VALUES[symbol])
        if equity <= 0:
            return -(_SCALE**2)
        if profit > 0:
            return _SCALE * profit * abs(value) // (cost * equity)
        return _SCALE * profit * equity // (cost * max(1, abs(value)))

    def close(self, account: Account, symbol: int, price: int, now_ms: int) -> None:
        """Close the whole position at `price` ticks, without a fee, past the book.

        Counterparties lose their open orders of the symbol, too. As all positions add up to none, there is always
        somebody on the other side.
        """
        position = account.positions[symbol]
        while position.lots:
            other = self._next(symbol, long=position.lots < 0, now_ms=now_ms)
            held = other.positions[symbol].lots
            lots = min(abs(position.lots), abs(held))
            if not other.house:  # the house renews its quotes anyway
                for order in [order for order in other.open_orders.values() if order.symbol == symbol]:
                    self._exchange.withdraw(other, order, now_ms)
            signed = lots if position.lots > 0 else -lots
            self.closes += 1
            self.value += lots * price * UNIT_VALUES[symbol]
            self._exchange.assign(account, other, HandOver(symbol, signed, price, CLIENT_ID), now_ms)

    def _next(self, symbol: int, *, long: bool, now_ms: int) -> Account:
        """The first of the queue of one side; the ranking is renewed each second, or when it is used up."""
        ranked_ms, queue = self._queues.get((symbol, long), (0, []))
        if not ranked_ms <= now_ms < ranked_ms + RANKED_FOR_MS:
            queue = []
        for attempt in range(2):
            while queue:
                other = queue[-1].account
                lots = other.positions[symbol].lots
                if lots > 0 if long else lots < 0:
                    return other
                queue.pop()
            if attempt == 0:
                queue = self._rank(symbol, long=long)
                self._queues[symbol, long] = (now_ms, queue)
        raise LookupError(f"nobody holds the other side of symbol {symbol}: positions do not add up to none")

    def _rank(self, symbol: int, *, long: bool) -> list[_Ranked]:
        """All holders of that side, the first to be closed last."""
        holders = [
            account
            for account in self._exchange.ledger.accounts
            if (account.positions[symbol].lots > 0 if long else account.positions[symbol].lots < 0)
        ]
        return sorted((_Ranked(account, self.score(account, symbol)) for account in holders), key=attrgetter("score"))
