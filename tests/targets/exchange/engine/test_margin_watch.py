from exchange.engine.ledger import Account, Ledger, Position
from exchange.engine.margin import Margin
from exchange.engine.margin_watch import MarginWatch
from exchange.venue import MONEY_UNITS_PER_USDT

from tests.support.clearing import OPENING


class CountingMargin(Margin):
    looks = 0

    def cushion(self, account: Account) -> int:
        self.looks += 1
        return super().cushion(account)


def test_only_accounts_that_a_price_reaches_are_looked_at() -> None:
    """Of 1,000 longs of 60,000 USDT, the n-th has 1,000 + n USDT: each USDT is 10 ticks of the price."""
    ledger = Ledger(1_000, 1)
    for account in ledger.accounts[:-1]:
        account.positions = (Position(1_000, 1_000 * OPENING[0]), Position(), Position())
        account.wallet = (1_000 + account.number) * MONEY_UNITS_PER_USDT
    marks = list(OPENING)
    margin = CountingMargin(marks)
    due: list[int] = []
    watch = MarginWatch(margin, marks, ledger.accounts, lambda account: due.append(account.number))
    for account in ledger.accounts:
        watch.examine(account)
    margin.looks = 0
    for price in range(OPENING[0], 592_000, -1):
        marks[0] = price
        watch.moved(0)
    assert (due, margin.looks) == ([*range(len(due))], len(due))
    assert 40 < len(due) < 60
    assert all(margin.is_sound(account) != account.liquidating for account in ledger.accounts)


def test_an_account_that_changes_often_is_kept_once() -> None:
    ledger = Ledger(1, 1)
    account, marks = ledger.accounts[0], list(OPENING)
    account.positions = (Position(1_000, 1_000 * OPENING[0]), Position(), Position())
    watch = MarginWatch(Margin(marks), marks, ledger.accounts, lambda account: None)
    for lost in range(10_000):
        account.wallet = (100_000 - lost) * MONEY_UNITS_PER_USDT
        watch.examine(account)
    assert sum(len(heap) for heap in watch._heaps) < 2_000
