import pytest
from exchange.engine.ledger import UNIT_VALUES, Account, Position
from exchange.engine.margin import BRACKETS, SCALE, Bracket, Margin, liquidation_price, maintenance
from exchange.venue import MONEY_UNITS_PER_USDT, SYMBOLS
from hypothesis import assume, given
from hypothesis import strategies as st

USDT = MONEY_UNITS_PER_USDT
OPENING = [symbol.opening_ticks for symbol in SYMBOLS]
signed_lots = st.one_of(st.integers(1, 10**7), st.integers(-(10**7), -1))


def holder(wallet: int, *positions: tuple[int, int]) -> Account:
    return Account(0, wallet, tuple(Position(lots, lots * price) for lots, price in positions))


@pytest.mark.parametrize(
    ("value_usdt", "needed_usdt"),
    [(0, 0), (50_000, 200), (60_000, 250), (250_000, 1_200), (1_000_000, 8_700), (10_000_000, 233_700)],
)
def test_maintenance_by_bracket(value_usdt: int, needed_usdt: int) -> None:
    assert maintenance(value_usdt * USDT) == needed_usdt * USDT * SCALE


@pytest.mark.parametrize("bracket", BRACKETS[1:])
def test_maintenance_does_not_jump_where_a_bracket_begins(bracket: Bracket) -> None:
    below, here, above = (maintenance(bracket.floor + step) for step in (-1, 0, 1))
    assert 0 < here - below < above - here <= SCALE


def test_the_liquidation_price_of_a_long_by_hand() -> None:
    """1 BTC bought at 60,000 with 1,000 USDT: (1,000 + 50 - 60,000) / (0.005 - 1) = 59,246.23."""
    account = holder(1_000 * USDT, (1_000, OPENING[0]), (0, 0), (0, 0))
    assert liquidation_price(0, 1_000, OPENING[0], Margin(OPENING).cushion(account)) == 592_462


@given(st.integers(0, 2), signed_lots, st.integers(1, 10**6), st.integers(1, 10**20))
def test_the_liquidation_price_is_the_first_that_uses_the_cushion_up(
    symbol: int, lots: int, mark: int, cushion: int
) -> None:
    unit, size = UNIT_VALUES[symbol], abs(lots)

    def left(price: int) -> int:
        lost = SCALE * lots * (mark - price) * unit
        return cushion - lost - maintenance(size * price * unit) + maintenance(size * mark * unit)

    price = liquidation_price(symbol, lots, mark, cushion)
    if price is None:
        assert lots > 0 < left(1)
    else:
        assert left(price) <= 0 < left(price + (1 if lots > 0 else -1))
        assert price < mark if lots > 0 else price > mark


@given(st.lists(signed_lots, min_size=3, max_size=3), st.integers(1, 10**17), st.integers(0, 2))
def test_an_account_of_several_positions_is_sound_up_to_its_liquidation_price(
    lots: list[int], spare: int, symbol: int
) -> None:
    account = holder(0, *zip(lots, OPENING, strict=True))
    marks = list(OPENING)
    margin = Margin(marks)
    account.wallet = margin.maintenance(account) // SCALE + spare
    cushion = margin.cushion(account)
    price = liquidation_price(symbol, lots[symbol], marks[symbol], cushion)
    marks[symbol] = 1 if price is None else price
    assert margin.is_sound(account) == (price is None)
    marks[symbol] += 1 if lots[symbol] > 0 else -1
    assert margin.is_sound(account)


@given(st.lists(signed_lots, min_size=3, max_size=3), st.integers(-(10**12), 10**12))
def test_closed_at_its_bankruptcy_prices_an_account_is_left_with_less_than_a_tick(lots: list[int], wallet: int) -> None:
    account = holder(wallet, *zip(lots, OPENING, strict=True))
    margin = Margin(OPENING)
    assume(margin.cushion(account) <= 0)
    ticks = 0
    for symbol in account.held():
        price = margin.bankruptcy_price(account, symbol)
        assume(price > 1)
        ticks += abs(lots[symbol]) * UNIT_VALUES[symbol]
        account.wallet += account.positions[symbol].trade(-lots[symbol], price) * UNIT_VALUES[symbol]
    assert 0 <= account.wallet < ticks
