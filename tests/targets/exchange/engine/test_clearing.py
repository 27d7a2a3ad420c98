"""Random histories of accounts, prices, liquidations: nothing is lost or made, and nobody who is short is overlooked.

CHAOSKIT_HISTORIES=10000 plays so many histories in place of a few.
"""

import os
from typing import Any

from exchange.engine.clearing import ClearingCollector
from exchange.engine.invariants import broken
from exchange.engine.ledger import UNIT_VALUES
from exchange.engine.liquidation import SETTLE_EVERY_MS, Rules
from exchange.venue import MONEY_UNITS_PER_USDT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clearing import OPENING, Venue

HISTORIES = int(os.environ.get("CHAOSKIT_HISTORIES", "150"))
WALLETS_USDT = [300, 300, 600, 600, 10**6, 10**6]  # most are soon in trouble, two are not
RICH = 4

accounts = st.integers(0, len(WALLETS_USDT) - 1)
rich = st.integers(RICH, len(WALLETS_USDT) - 1)
symbols = st.integers(0, 2)
trades = st.tuples(st.just("open"), accounts, accounts, st.integers(2_000, 30_000), symbols)
orders = st.tuples(
    st.just("order"), st.one_of(accounts, rich), st.booleans(), st.integers(-300, 300), st.integers(100, 20_000),
    symbols,
)  # fmt: skip
moves = st.tuples(st.just("move"), st.integers(-400, 400), symbols)  # per 10,000 of the mark
depegs = st.tuples(st.just("collateral"), st.integers(0, 100))
turns = st.sampled_from([("step",), ("step",), ("settle",), ("unwind",)])
HISTORY = st.lists(st.one_of(trades, trades, orders, orders, moves, moves, depegs, turns), min_size=15, max_size=60)
RULES = st.builds(Rules, fee=st.integers(0, 200), distance=st.integers(0, 2_000), deleveraging=st.booleans())


def lots_worth(usdt: int, symbol: int) -> int:
    return usdt * MONEY_UNITS_PER_USDT // (OPENING[symbol] * UNIT_VALUES[symbol])


def play(crisis: Venue, command: tuple[Any, ...]) -> None:
    assert crisis.clearing is not None
    match command:
        case ("open", buyer, seller, usdt, symbol) if buyer != seller:
            lots = lots_worth(usdt, symbol)
            if not (crisis.accounts[buyer].liquidating or crisis.accounts[seller].liquidating):
                crisis.open(buyer, seller, lots, symbol)
        case ("order", account, buy, offset, usdt, symbol):
            lots = lots_worth(usdt, symbol)
            price = crisis.exchange.marks[symbol] * (10_000 + offset) // 10_000
            crisis.send(account, buy=buy, price=price, lots=lots, symbol=symbol)
        case ("move", offset, symbol):
            crisis.move(crisis.exchange.marks[symbol] * (10_000 + offset) // 10_000, symbol)
        case ("collateral", cents):
            crisis.prices.collateral[0] = cents * 10**6
            crisis.move(crisis.exchange.marks[0])
        case ("step",) if crisis.due:
            account = crisis.due.popleft()
            if crisis.clearing.liquidator.step(account, crisis.now_ms):
                crisis.due.append(account)
        case ("settle",):
            crisis.settle()
        case ("unwind",):
            fund, margin = crisis.clearing.fund, crisis.clearing.margin
            socialised = fund.socialised
            crisis.now_ms += SETTLE_EVERY_MS  # a settlement is due
            crisis.clearing.liquidator.unwind(crisis.now_ms)
            if fund.equity < 0:  # then all who gain have paid as much as they gain
                profits = [margin.profit(account) for account in crisis.accounts if account is not fund.account]
                assert fund.socialised - socialised == sum(profit for profit in profits if profit > 0)


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORY, RULES, st.sampled_from([0, 50, 10**6]))
def test_money_is_conserved_and_nobody_who_is_short_is_overlooked(
    history: list[tuple[Any, ...]], rules: Rules, fund_usdt: int
) -> None:
    crisis = Venue(WALLETS_USDT, fund_usdt=fund_usdt, rules=rules, collateral={0: 300 * 10**8})
    assert crisis.clearing is not None
    for command in [*history, ("settle",), ("unwind",), ("settle",)]:
        play(crisis, command)
        assert broken(crisis.exchange, crisis.total) == [], command
        assert sum(account.collateral.get(0, 0) for account in crisis.accounts) == 300 * 10**8
        short = {
            account.number
            for account in crisis.accounts
            if not account.house and not crisis.clearing.margin.is_sound(account)
        }
        assert short <= {account.number for account in crisis.due}, command
        assert len(crisis.due) == len({account.number for account in crisis.due})
    assert not crisis.due
    assert not any(account.liquidating for account in crisis.accounts)


def test_what_liquidations_came_to_can_be_read() -> None:
    crisis = Venue([1_000, 10**6, 10**6])
    assert crisis.clearing is not None
    crisis.open(0, 1, 1_000)
    crisis.send(2, buy=True, price=590_000, lots=1_000)
    crisis.send(1, buy=False, price=590_000, lots=10)
    crisis.move(590_000)
    crisis.settle()
    families = {family.name: family for family in ClearingCollector(crisis.clearing, crisis.exchange).collect()}
    taken = {tuple(sample.labels.values()): sample.value for sample in families["exchange_taken_usdt"].samples}
    assert taken == {
        ("SELL", "liquidation"): 990 * 59.0,
        ("SELL", "own"): 10 * 59.0,
        ("BUY", "liquidation"): 0,
        ("BUY", "own"): 0,
    }
    assert families["exchange_liquidated_accounts"].samples[0].value == 1
    assert families["exchange_deleveraged_positions"].samples[0].value == 1
