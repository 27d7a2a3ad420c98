"""Liquidation, one step a turn: cancel, sell collateral, sell into the book; fund or winners have what is left.

Each step is a command of its own in the engine's queue: it takes matching time and waits its turn like everybody's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.engine.book import Order
from exchange.engine.collateral import Collateral
from exchange.engine.deleveraging import Deleveraging
from exchange.engine.insurance import InsuranceFund
from exchange.engine.ledger import UNIT_VALUES, Account
from exchange.engine.margin import Margin
from exchange.engine.margin_watch import MarginWatch
from exchange.engine.matching import Exchange, HandOver

PER = 10_000
TAKE_OVER_ID = "takeover_autoclose"
SETTLE_EVERY_MS = 5_000  # what winners owe is settled at fixed times, and not trade by trade


@dataclass(frozen=True, slots=True)
class Rules:
    """The venue's rules. `fee` of what was sold, and the `distance` of the limit from the mark, are per 10,000."""

    fee: int = 125
    distance: int = 500
    deleveraging: bool = True


@dataclass(slots=True)
class Tally:
    """What liquidations came to: `accounts` begun, `spared` before the first step, orders, and money units."""

    accounts: int = 0
    spared: int = 0
    orders: int = 0
    sold: int = 0
    bought: int = 0
    fees: int = 0
    taken_over: int = 0
    unwound: int = 0


class Liquidator:
    """Takes the steps; whoever calls `step` does so again until it says that nothing is left to do.

    `executed` is called with each liquidation order of which the book took something.
    """

    def __init__(
        self,
        exchange: Exchange,
        margin: Margin,
        watch: MarginWatch,
        fund: InsuranceFund,
        rules: Rules,
        collateral: Collateral | None = None,
    ) -> None:
        self._exchange = exchange
        self._margin = margin
        self._watch = watch
        self._fund = fund
        self._rules = rules
        self._collateral = collateral
        self._tried: dict[int, set[int]] = {}
        self.executed: Callable[[Order], None] | None = None
        self._next_settlement_ms = 0
        self.deleveraging = Deleveraging(exchange, margin)
        self.tally = Tally()

    def step(self, account: Account, now_ms: int) -> bool:
        """One command of a liquidation, for an account that `liquidating` marks; returns whether another is needed."""
        tried = self._tried.get(account.number)
        if self._margin.is_sound(account):
            self.tally.spared += tried is None  # the price came back while this waited
            return self._end(account)
        if tried is None:
            tried = self._tried[account.number] = set()
            self.tally.accounts += 1
            self._cancel(account, now_ms)
            if self._collateral is not None and self._collateral.liquidate(account, self._margin, now_ms):
                self._exchange.touched(account.number)
                return self._end(account) if self._margin.is_sound(account) else True
        left = [symbol for symbol in account.held() if symbol not in tried]
        if left:
            symbol = max(left, key=lambda each: self._margin.of_position(account, each))
            tried.add(symbol)
            self._close_in_book(account, symbol, now_ms)
        else:
            self._take_over(account, now_ms)
        return self._end(account) if self._margin.is_sound(account) else True

    def unwind(self, now_ms: int) -> None:
        """Let the fund sell into the best level of each book what it has taken over, or give it up if it must."""
        fund = self._fund.account
        for symbol in fund.held():
            lots = fund.positions[symbol].lots
            best = self._exchange.markets[symbol].book.side(buy=lots > 0).best()
            if best is not None and self._within(symbol, best.price, selling=lots > 0):
                order = self._send(fund, symbol, best.price, now_ms)
                self.tally.unwound += order.value * UNIT_VALUES[symbol]
        if not self._margin.is_sound(fund):
            self._give_up(now_ms)

    def _end(self, account: Account) -> bool:
        self._tried.pop(account.number, None)
        account.liquidating = False
        self._watch.examine(account)
        return False

    def _cancel(self, account: Account, now_ms: int) -> None:
        for order in list(account.open_orders.values()):
            self._exchange.withdraw(account, order, now_ms)
        for conditional in self._exchange.conditionals.of(account.number):
            self._exchange.conditionals.end(conditional, "CANCELED", "cancelled", now_ms)

    def _close_in_book(self, account: Account, symbol: int, now_ms: int) -> None:
        """One IOC order for the whole position, and the fee for what it closed, as far as there is something left.

        At the brackets' rates the fee is dearer than the margin that a smaller position would free, so half an order
        would not help.
        """
        mark = self._exchange.marks[symbol]
        selling = account.positions[symbol].lots > 0
        away = mark * self._rules.distance // PER
        order = self._send(account, symbol, max(1, mark - away if selling else mark + away), now_ms)
        value = order.value * UNIT_VALUES[symbol]
        self.tally.orders += 1
        if self.executed is not None and order.filled:
            self.executed(order)
        if selling:
            self.tally.sold += value
        else:
            self.tally.bought += value
        fee = min(value * self._rules.fee // PER, max(0, self._margin.equity(account)))
        self._fund.receive(account, fee)
        self.tally.fees += fee
        self._exchange.touched(account.number)
        self._exchange.touched(self._fund.account.number)

    def _send(self, account: Account, symbol: int, price: int, now_ms: int) -> Order:
        lots = account.positions[symbol].lots
        number = self._exchange.next_order_id()
        order = Order(
            number, account.number, symbol, lots < 0, price, abs(lots), "LIMIT", "IOC", f"autoclose-{number}",
            reduce_only=True, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        self._exchange.submit(account, order)
        return order

    def _within(self, symbol: int, price: int, *, selling: bool) -> bool:
        mark = self._exchange.marks[symbol]
        away = mark * self._rules.distance // PER
        return price >= mark - away if selling else price <= mark + away

    def _take_over(self, account: Account, now_ms: int) -> None:
        """End an account at its bankruptcy prices: the fund has what is left of it, or the winners close it."""
        fund = self._fund.account
        closing = self._rules.deleveraging and not self._fund.can_take(account, self._exchange.marks)
        for symbol in account.held():
            price = self._margin.bankruptcy_price(account, symbol)
            if closing:
                self.deleveraging.close(account, symbol, price, now_ms)
            else:
                handed = HandOver(symbol, account.positions[symbol].lots, price, TAKE_OVER_ID)
                self._exchange.assign(account, fund, handed, now_ms)
        self.tally.taken_over += not closing
        self._fund.absorb(account)
        self._exchange.touched(account.number)
        self._exchange.touched(fund.number)
        if self._fund.equity < 0:
            self._give_up(now_ms)

    def _give_up(self, now_ms: int) -> None:
        """The fund is at its end: the winners close what it holds, and pay what it lacks at the next settlement."""
        fund = self._fund.account
        if self._rules.deleveraging:
            for symbol in fund.held():
                price = self._margin.bankruptcy_price(fund, symbol)
                self.deleveraging.close(fund, symbol, price, now_ms)
        if now_ms < self._next_settlement_ms:
            return
        self._next_settlement_ms = now_ms + SETTLE_EVERY_MS
        for payer in self._fund.socialise():
            self._exchange.touched(payer.number)
