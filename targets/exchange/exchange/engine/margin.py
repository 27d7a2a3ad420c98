"""What an account is worth and what it must be worth: brackets, equity, cushion, liquidation and bankruptcy prices.

Pure and in whole numbers. Maintenance margins are money units x 10,000, so that a rate per 10,000 loses nothing.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from exchange.engine.ledger import UNIT_VALUES, Account
from exchange.venue import MONEY_UNITS_PER_USDT

SCALE = 10_000
COLLATERALS = ("USDE", "WBETH")
COLLATERAL_UNITS = 10**8
_TABLE = (
    (0, 40), (50_000, 50), (250_000, 100), (1_000_000, 250), (10_000_000, 500), (20_000_000, 1_000),
    (50_000_000, 1_250), (100_000_000, 1_500), (200_000_000, 2_500), (300_000_000, 5_000),
)  # fmt: skip
"""From so many USDT of position value, so much maintenance per 10,000: the venue's table of 2021-03-18 for BTCUSDT."""


class CollateralPrices(Protocol):
    """What the venue holds assets other than USDT to be worth."""

    def price(self, asset: int, now_ms: int) -> int:
        """Money units (1e-8 USDT) for one whole unit of `COLLATERALS[asset]`, at least 0."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """From `floor` money units of value, maintenance is value x `rate` / 10,000 - `amount`, so that it never jumps."""

    floor: int
    rate: int
    amount: int


def _brackets() -> tuple[Bracket, ...]:
    """amount_n = floor_n x (rate_n - rate_n-1) + amount_n-1, which the venue calls `cum`."""
    found = [Bracket(0, _TABLE[0][1], 0)]
    for floor_usdt, rate in _TABLE[1:]:
        floor = floor_usdt * MONEY_UNITS_PER_USDT
        found.append(Bracket(floor, rate, found[-1].amount + floor * (rate - found[-1].rate) // SCALE))
    return tuple(found)


BRACKETS = _brackets()
_FLOORS = [bracket.floor for bracket in BRACKETS]


def maintenance(value: int) -> int:
    """The maintenance margin, in money units x 10,000, of a position worth `value` money units (at least 0)."""
    bracket = BRACKETS[bisect_right(_FLOORS, value) - 1]
    return value * bracket.rate - bracket.amount * SCALE


def liquidation_price(symbol: int, lots: int, mark: int, cushion: int) -> int | None:
    """Return the first price in ticks, going against signed `lots`, at which `cushion` is used up; None if none is.

    With the whole cushion of a cross-margin account (see `Margin.cushion`, here above 0) that is the venue's

        LP = (WB - TMM_other + UPNL_other + cum - side x qty x EP) / (qty x MMR - side x qty)

    because WB + UPNL_other - TMM_other - side x qty x EP = cushion + MM - side x qty x mark. As maintenance is the
    largest of all brackets' lines, the first of the brackets' prices is the right one.
    """
    unit = UNIT_VALUES[symbol]
    value = abs(lots) * mark * unit
    here = bisect_right(_FLOORS, value) - 1
    rest = cushion + maintenance(value) - SCALE * lots * mark * unit
    if lots > 0:
        spent = max(
            (rest + bracket.amount * SCALE) // (lots * unit * (bracket.rate - SCALE))
            for bracket in BRACKETS[: here + 1]
        )
        return spent if spent > 0 else None
    return min(
        -(-(rest + bracket.amount * SCALE) // (-lots * unit * (bracket.rate + SCALE))) for bracket in BRACKETS[here:]
    )


class Margin:
    """Margins at mark prices `marks` (ticks, by symbol; read at each call) and at the latest collateral prices."""

    def __init__(self, marks: Sequence[int], prices: CollateralPrices | None = None) -> None:
        self._marks = marks
        self._prices = prices
        self._collateral_prices = [0] * len(COLLATERALS)

    def revalue(self, now_ms: int) -> bool:
        """Ask what collateral is worth at `now_ms`; returns whether that has changed."""
        before = self._collateral_prices
        if self._prices is not None:
            self._collateral_prices = [self._prices.price(asset, now_ms) for asset in range(len(COLLATERALS))]
        return self._collateral_prices != before

    def equity(self, account: Account) -> int:
        """Wallet, collateral and unrealised profit, in money units."""
        equity = account.wallet
        for asset, units in account.collateral.items():
            equity += units * self._collateral_prices[asset] // COLLATERAL_UNITS
        return equity + self.profit(account)

    def profit(self, account: Account) -> int:
        """Unrealised, in money units."""
        profit = 0
        for position, mark, unit in zip(account.positions, self._marks, UNIT_VALUES, strict=True):
            if position.lots:
                profit += (position.lots * mark - position.cost) * unit
        return profit

    def maintenance(self, account: Account) -> int:
        """What all positions need, in money units x 10,000."""
        return sum(self.of_position(account, symbol) for symbol in account.held())

    def of_position(self, account: Account, symbol: int) -> int:
        """What one position needs, in money units x 10,000."""
        return maintenance(abs(account.positions[symbol].lots) * self._marks[symbol] * UNIT_VALUES[symbol])

    def cushion(self, account: Account) -> int:
        """Equity beyond maintenance, in money units x 10,000; a position at 0 or below is to be liquidated."""
        return self.equity(account) * SCALE - self.maintenance(account)

    def is_sound(self, account: Account) -> bool:
        """Whether the account may keep what it holds."""
        cushion = self.cushion(account)
        return cushion > 0 or (cushion == 0 and not account.held())

    def bankruptcy_price(self, account: Account, symbol: int) -> int:
        """The price in ticks (at least 1) at which closing this position uses up its share of the account's equity.

        Shares are those of the maintenance margins. Rounded so that the account is left with a remainder of less than
        a tick, not in debt.
        """
        lots, unit = account.positions[symbol].lots, UNIT_VALUES[symbol]
        share = self.equity(account) * self.of_position(account, symbol) // self.maintenance(account)
        rest = lots * self._marks[symbol] * unit - share
        whole = lots * unit
        return max(1, -(-rest // whole) if lots > 0 else rest // whole)
