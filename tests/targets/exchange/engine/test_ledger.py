import pytest
from exchange.engine.ledger import Ledger, Position
from exchange.venue import MONEY_UNITS_PER_USDT, OPENING_WALLET_USDT
from hypothesis import given
from hypothesis import strategies as st

TRADES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2), st.integers(1, 500), st.integers(1, 10**6)),
    max_size=60,
)


@given(TRADES, st.integers())
def test_money_and_lots_are_conserved_to_the_last_unit(trades: list[tuple[int, ...]], seed: int) -> None:
    ledger = Ledger(4, seed)
    total = ledger.total()
    for buyer, seller, symbol, lots, price in trades:
        ledger.trade(ledger.accounts[buyer], symbol, lots, price, maker=False)
        ledger.trade(ledger.accounts[seller], symbol, -lots, price, maker=True)
    assert ledger.total() == total
    for symbol in range(3):
        assert sum(account.positions[symbol].lots for account in ledger.accounts) == 0
    for account in ledger.accounts:
        assert all(position.lots or not position.cost for position in account.positions)


@pytest.mark.parametrize(
    ("trades", "realised", "left"),
    [
        ([(10, 100), (-4, 120)], 80, (6, 600)),
        ([(-10, 100), (4, 90)], 40, (-6, -600)),
        ([(10, 100), (-15, 110)], 100, (-5, -550)),
        ([(3, 100), (-1, 100), (-1, 100), (-1, 101)], 1, (0, 0)),
    ],
)
def test_closing_realises_profit(trades: list[tuple[int, int]], realised: int, left: tuple[int, int]) -> None:
    position = Position()
    assert sum(position.trade(lots, price) for lots, price in trades) == realised
    assert (position.lots, position.cost) == left


def test_open_orders_and_positions_tie_margin() -> None:
    account = Ledger(1, 1).house
    account.positions = (Position(100, 100 * 600_000), Position(), Position())
    free = account.available([600_000, 300_000, 15_000])
    assert account.wallet - free == 100 * 600_000 * 10_000 // 20
    assert account.available([590_000, 300_000, 15_000]) < free


def test_the_seed_draws_the_opening() -> None:
    first, again, other = (
        [p.lots for account in Ledger(20, seed).accounts for p in account.positions] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_funded_accounts_hold_the_whole_wallet_whatever_the_leverage() -> None:
    plain, funded = Ledger(30, 1, leverage=50), Ledger(30, 1, leverage=50, funded=10)
    full = OPENING_WALLET_USDT * MONEY_UNITS_PER_USDT
    assert [account.wallet for account in funded.accounts[:10]] == [full] * 10
    assert [account.wallet for account in funded.accounts[10:]] == [account.wallet for account in plain.accounts[10:]]
    assert all(account.wallet < full for account in plain.accounts[:30])
