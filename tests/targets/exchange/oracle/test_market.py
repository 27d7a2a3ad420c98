"""Simulated spot markets: what a sale brings, how the price comes back, what makers and arbitrage do."""

import math
import random

import pytest
from exchange.engine.withdrawal import FLOOR, HALF_LIFE_MS, Withdrawal
from exchange.oracle.market import DEEPEST, Depth, SpotMarket, arbitrage
from hypothesis import given
from hypothesis import strategies as st

DEPTH = Depth(140_000_000)


def market(depth: Depth = DEPTH) -> SpotMarket:
    return SpotMarket(1.0, depth, random.Random(1))


def test_sixty_million_into_the_book_of_that_night_take_a_dollar_to_65_cents() -> None:
    one = market()
    brought = sum(one.sell(20_000, 0) for _ in range(3_000))
    assert one.price(0) == pytest.approx(0.65, abs=0.01)
    assert 0.65 * 60e6 < brought < 60e6


@given(st.lists(st.floats(1, 5e6), min_size=1, max_size=30))
def test_slices_bring_what_one_sale_brings_and_never_more_than_the_price_before(slices: list[float]) -> None:
    cut, whole = market(), market()
    brought = 0.0
    for units in slices:
        before = cut.price(0)
        piece = cut.sell(units, 0)
        assert cut.price(0) * units <= piece * (1 + 1e-9)
        assert piece <= before * units * (1 + 1e-9)
        brought += piece
    assert brought == pytest.approx(whole.sell(sum(slices), 0))
    assert cut.price(0) == pytest.approx(whole.price(0))


def test_half_of_a_fall_is_bought_back_in_a_half_life() -> None:
    one = market(Depth(1e6, half_life_ms=10_000))
    one.price(0)
    one.sell(500_000, 0)
    fallen = math.log(one.price(0))
    assert math.log(one.price(10_000)) == pytest.approx(fallen / 2)


def test_a_book_has_an_end() -> None:
    one = market(Depth(1_000))
    one.sell(1e12, 0)
    assert one.price(0) == pytest.approx(math.exp(-DEEPEST))
    assert one.sell(0, 0) == 0


def test_noise_is_drawn_by_the_seed_and_stays_small() -> None:
    first, again = (SpotMarket(1.0, Depth(1e6, noise=0.001), random.Random(7)) for _ in range(2))
    prices = [first.price(moment) for moment in range(0, 100_000, 100)]
    assert prices == [again.price(moment) for moment in range(0, 100_000, 100)]
    assert len(set(prices)) > 900
    assert all(0.99 < price < 1.01 for price in prices)


def test_arbitrage_moves_pressure_and_makes_none() -> None:
    own, other = market(Depth(1e6)), market(Depth(4e6))
    own.sell(500_000, 0)
    before = own.pressure
    arbitrage([own, other], 1_000, 1_000)
    assert own.pressure == pytest.approx((before + before / 5) / 2)
    assert own.depth.usdt * own.pressure + other.depth.usdt * other.pressure == pytest.approx(1e6 * before)


def test_makers_withdraw_as_the_price_moves_and_come_back() -> None:
    makers = Withdrawal(100)
    assert makers.share(0) == 1
    makers.moved(-0.01, 0)
    assert makers.share(0) == pytest.approx(math.exp(-1))
    assert makers.share(HALF_LIFE_MS) == pytest.approx(math.exp(-0.5))
    makers.moved(5, HALF_LIFE_MS)
    assert makers.share(HALF_LIFE_MS) == FLOOR
    assert Withdrawal(0).share(0) == 1


def test_where_makers_withdraw_a_sale_goes_deeper() -> None:
    steady, shy = market(Depth(1e6)), market(Depth(1e6, withdrawal=50))
    for one in (steady, shy):
        for _ in range(10):
            one.sell(10_000, 0)
    assert shy.price(0) < steady.price(0) * 0.9
