"""The insurance fund: an account of the venue that takes over what nobody else buys, and pays what is missing."""

from exchange.engine.ledger import UNIT_VALUES, Account, Ledger, Position
from exchange.engine.margin import SCALE, Margin, maintenance
from exchange.venue import MONEY_UNITS_PER_USDT, SYMBOLS


class InsuranceFund:
    """Opens the fund's account, with `deposit_usdt`, as the ledger's last one."""

    def __init__(self, ledger: Ledger, margin: Margin, deposit_usdt: int) -> None:
        positions = tuple(Position() for _ in SYMBOLS)
        wallet = deposit_usdt * MONEY_UNITS_PER_USDT
        self.account = Account(len(ledger.accounts), wallet, positions, house=True)
        self._ledger = ledger
        self._margin = margin
        self.socialised = 0  # money units that the fund had to take from profitable accounts
        ledger.accounts.append(self.account)

    @property
    def equity(self) -> int:
        """What the fund is worth now, in money units; may be below 0."""
        return self._margin.equity(self.account)

    def can_take(self, account: Account, marks: list[int]) -> bool:
        """Whether the fund, with all that `account` is and has, would be above its own maintenance margin."""
        needed = sum(
            maintenance(abs(own.lots + other.lots) * mark * unit)
            for own, other, mark, unit in zip(
                self.account.positions, account.positions, marks, UNIT_VALUES, strict=True
            )
        )
        return (self.equity + self._margin.equity(account)) * SCALE >= needed

    def receive(self, account: Account, money: int) -> None:
        """Take `money` units from an account's wallet; below 0, pay them."""
        account.wallet -= money
        self.account.wallet += money

    def absorb(self, account: Account) -> None:
        """Take an account's wallet, which may be a debt, and its collateral: it keeps nothing."""
        self.receive(account, account.wallet)
        for asset, units in account.collateral.items():
            self.account.collateral[asset] = self.account.collateral.get(asset, 0) + units
        account.collateral.clear()

    def socialise(self) -> list[Account]:
        """Take what the fund lacks from all who are in profit, by their share of it; returns who paid.

        Nobody pays more than the unrealised profit; what that does not cover stays the fund's debt.
        """
        lacking = -self.equity
        if lacking <= 0:
            return []
        profits = [(account, self._margin.profit(account)) for account in self._ledger.accounts]
        winners = [(account, profit) for account, profit in profits if profit > 0 and account is not self.account]
        total = sum(profit for _, profit in winners)
        lacking = min(lacking, total)
        cumulated = taken = 0
        for account, profit in winners:
            cumulated += profit
            share = lacking * cumulated // total - taken
            taken += share
            self.receive(account, share)
        self.socialised += taken
        return [account for account, _ in winners]
