"""Accounts, positions, margin and fees, in whole numbers that add up exactly.

A position keeps `cost`, the signed sum of ticks x lots that it was built with, instead of an average entry
price. Closing moves a share of the cost into the wallet, so for all accounts together `wallets + fees -
costs - deposits` never changes: what one side of a trade pays the other receives.
"""

import random
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from exchange.engine.book import Order
from exchange.venue import LEVERAGE, MONEY_UNITS_PER_USDT, OPENING_WALLET_USDT, SYMBOLS

MAKER_FEE_PER_10_000 = 2
TAKER_FEE_PER_10_000 = 5
CLOSED_ORDERS_KEPT = 100
TRADES_KEPT = 500

UNIT_VALUES = tuple(symbol.unit_value for symbol in SYMBOLS)


@dataclass(slots=True)
class Position:
    """Signed `lots` (negative: short) and the signed `cost` in ticks x lots they were taken at."""

    lots: int = 0
    cost: int = 0

    def trade(self, lots: int, price: int) -> int:
        """Add signed `lots` at `price`; returns the realised profit in ticks x lots."""
        realised = 0
        if self.lots * lots < 0:
            closing = lots if abs(lots) <= abs(self.lots) else -self.lots
            released = self.cost * abs(closing) // abs(self.lots)
            realised = -closing * price - released
            self.cost -= released
            self.lots += closing
            lots -= closing
        self.cost += lots * price
        self.lots += lots
        return realised


@dataclass(frozen=True, slots=True)
class Trade:
    """One side of a fill, as its account sees it. `fee` is in money units."""

    trade_id: int
    order_id: int
    symbol: int
    buy: bool
    price: int
    lots: int
    fee: int
    maker: bool
    time_ms: int


def _trades() -> deque[Trade]:
    return deque(maxlen=TRADES_KEPT)


@dataclass(slots=True)
class Account:
    """One account: `wallet` in money units, a position per symbol, its orders and trades."""

    number: int
    wallet: int
    positions: tuple[Position, ...]
    house: bool = False  # the market maker and the insurance fund trade without a margin check
    liquidating: bool = False  # no new orders until its liquidation is over
    open_orders: dict[int, Order] = field(default_factory=dict)
    open_value: int = 0  # money units that the open orders would cost
    closed_orders: OrderedDict[int, Order] = field(default_factory=OrderedDict)
    trades: deque[Trade] = field(default_factory=_trades)
    updated_us: int = 0  # wall clock of the last change to wallet or positions
    collateral: dict[int, int] = field(default_factory=dict)  # 1e-8 of each asset beside USDT

    def held(self) -> list[int]:
        """The symbols in which there is a position."""
        return [symbol for symbol, position in enumerate(self.positions) if position.lots]

    def available(self, marks: list[int]) -> int:
        """Money units free for new orders at mark prices `marks` (ticks, by symbol)."""
        equity = self.wallet
        tied = self.open_value
        for position, mark, unit in zip(self.positions, marks, UNIT_VALUES, strict=True):
            if position.lots:
                value = position.lots * mark
                equity += (value - position.cost) * unit
                tied += abs(value) * unit
        return equity - tied // LEVERAGE

    def find(self, order_id: int | None, client_id: str | None) -> Order | None:
        """The account's order by id or client id; finished ones are kept for a while."""
        if order_id is not None:
            return self.open_orders.get(order_id) or self.closed_orders.get(order_id)
        every = [*self.closed_orders.values(), *self.open_orders.values()]
        return next((order for order in reversed(every) if order.client_id == client_id), None)

    def open(self, order: Order) -> None:
        """Count a resting order against the margin."""
        self.open_orders[order.order_id] = order
        self.open_value += order.remaining * order.price * UNIT_VALUES[order.symbol]

    def release(self, order: Order, lots: int) -> None:
        """`lots` of a resting order no longer wait, because they were filled or cancelled."""
        self.open_value -= lots * order.price * UNIT_VALUES[order.symbol]

    def close(self, order: Order) -> None:
        """Remember a finished order."""
        self.open_orders.pop(order.order_id, None)
        self.closed_orders[order.order_id] = order
        if len(self.closed_orders) > CLOSED_ORDERS_KEPT:
            self.closed_orders.popitem(last=False)


class Ledger:
    """All accounts, opened at wall-clock `opened_us`; the last one is the house.

    The house is the market maker and holds the other side of the opening positions, which `seed` draws. With a
    `leverage`, each account's wallet is as small as a leverage drawn from 1 to that one makes it; else all are alike.
    The first `funded` accounts keep the whole wallet all the same: they can sell what others cannot.
    """

    def __init__(self, accounts: int, seed: int, opened_us: int = 0, leverage: int = 0, funded: int = 0) -> None:
        randomness = random.Random(seed)
        wallet = OPENING_WALLET_USDT * MONEY_UNITS_PER_USDT
        self.fees = 0
        self.deposits = 0
        self.accounts = [Account(number, wallet, _opening_positions(randomness)) for number in range(accounts)]
        opposite = tuple(
            Position(
                -sum(account.positions[symbol.index].lots for account in self.accounts),
                -sum(account.positions[symbol.index].cost for account in self.accounts),
            )
            for symbol in SYMBOLS
        )
        if leverage:
            for account in self.accounts:
                own = _leveraged(account.positions, randomness.randint(1, leverage))
                account.wallet = wallet if account.number < funded else own
        self.house = Account(accounts, wallet, opposite, house=True)
        self.accounts.append(self.house)
        for account in self.accounts:
            account.updated_us = opened_us

    def trade(self, account: Account, symbol: int, signed_lots: int, price: int, *, maker: bool) -> int:
        """Book one side of a fill; returns the fee that the account paid, in money units."""
        unit = UNIT_VALUES[symbol]
        rate = MAKER_FEE_PER_10_000 if maker else TAKER_FEE_PER_10_000
        fee = abs(signed_lots) * price * unit * rate // 10_000
        account.wallet += account.positions[symbol].trade(signed_lots, price) * unit - fee
        self.fees += fee
        return fee

    def assign(self, account: Account, symbol: int, signed_lots: int, price: int) -> None:
        """Book one side of a position that changes hands without a fee."""
        account.wallet += account.positions[symbol].trade(signed_lots, price) * UNIT_VALUES[symbol]

    def deposit(self, account: Account, amount: int) -> None:
        """Book `amount` money units that come in from outside."""
        account.wallet += amount
        self.deposits += amount

    def total(self) -> int:
        """`wallets + fees - costs - deposits` in money units: constant for ever."""
        costs = sum(
            position.cost * unit
            for account in self.accounts
            for position, unit in zip(account.positions, UNIT_VALUES, strict=True)
        )
        return sum(account.wallet for account in self.accounts) + self.fees - costs - self.deposits


def _opening_positions(randomness: random.Random) -> tuple[Position, ...]:
    positions = []
    for symbol in SYMBOLS:
        lots = randomness.randint(-100, 100)
        positions.append(Position(lots, lots * symbol.opening_ticks))
    return tuple(positions)


def _leveraged(positions: tuple[Position, ...], leverage: int) -> int:
    """The wallet, in money units, of which opening positions are worth so many times as much; at least 1 USDT."""
    value = sum(abs(position.cost) * unit for position, unit in zip(positions, UNIT_VALUES, strict=True))
    return max(MONEY_UNITS_PER_USDT, value // leverage)
