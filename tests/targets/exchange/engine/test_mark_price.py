import pytest
from exchange.engine.ledger import Ledger
from exchange.engine.mark_price import FUNDING_PERIOD_MS, MarkPrices
from exchange.engine.matching import Exchange

from tests.support.clearing import OPENING, SetPrices


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange(Ledger(1, 1), touched=lambda account: None)
    exchange.marks_follow_trades = False
    return exchange


@pytest.mark.parametrize(
    ("index", "last", "mark"),
    [
        (590_000, 600_000, 600_000),  # index + gap = 600,000 for the first sample
        (590_000, 500_000, 500_000 + 90_000),
    ],
)
def test_the_mark_is_the_median_of_three(exchange: Exchange, index: int, last: int, mark: int) -> None:
    prices = SetPrices([index, *OPENING[1:]], [])
    exchange.markets[0].last = 600_000
    marks = MarkPrices(exchange, prices)
    marks.update(1_000)
    exchange.markets[0].last = last
    marks.update(1_001)
    assert exchange.marks[0] == mark


def test_one_print_far_away_does_not_move_the_mark(exchange: Exchange) -> None:
    marks = MarkPrices(exchange, SetPrices(list(OPENING), []))
    assert marks.update(1_000) == []
    exchange.markets[0].last = 1
    assert marks.update(1_500) == []
    assert exchange.marks == OPENING


def test_a_gap_that_lasts_moves_the_mark_within_half_a_minute(exchange: Exchange) -> None:
    marks = MarkPrices(exchange, SetPrices(list(OPENING), []))
    marks.update(0)
    exchange.markets[0].last = OPENING[0] - 300
    seen = []
    for second in range(1, 31):
        marks.update(1_000 * second)
        seen.append(exchange.marks[0])
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > seen[-1] == OPENING[0] - 300


def test_funding_still_to_come_lifts_price_1(exchange: Exchange) -> None:
    marks = MarkPrices(exchange, SetPrices(list(OPENING), []), funding=1_000)
    marks.update(FUNDING_PERIOD_MS // 2 - 1)
    exchange.markets[0].last = 10**9
    marks.update(FUNDING_PERIOD_MS // 2)
    assert exchange.marks[0] == OPENING[0] * 10_005 // 10_000
    assert exchange.marks[0] < OPENING[0] + OPENING[0] // 1_000


def test_without_an_index_the_middle_of_the_own_book_counts(exchange: Exchange) -> None:
    for buy, price in ((True, 590_000), (False, 596_000)):
        terms = [0, buy, "LIMIT", price, 1, "GTC", "", False]
        assert exchange.execute(["order", 0, 10**15, terms], 1)[0] == 200
    assert MarkPrices(exchange).update(1) == [0]
    assert exchange.marks[0] == 593_000
