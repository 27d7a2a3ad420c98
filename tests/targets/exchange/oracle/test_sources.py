"""Every way to make a price of collateral, against the same fall on the venue's own market."""

import random

import pytest
from exchange.oracle.asset import MODES, Asset, Pricing
from exchange.oracle.internal_spot import InternalSpot
from exchange.oracle.market import Depth, SpotMarket
from exchange.oracle.redemption import RedemptionRate
from exchange.oracle.twap import TimeWeightedAverage
from exchange.oracle.venue_median import DEVIATION, STALE_MS, VenueMedian
from exchange.oracle.weighted_mix import WeightedMix

ENDLESS = Depth(1e6, half_life_ms=1e12)


class Set:
    def __init__(self, value: float) -> None:
        self.value = value

    def price(self, now_ms: int) -> float:
        return self.value


def fallen() -> SpotMarket:
    """A market whose price has fallen from 2 to 1."""
    one = SpotMarket(2.0, ENDLESS, random.Random(1))
    one.price(0)
    one.pressure = 0.6931471805599453
    return one


def test_internal_spot_believes_its_own_book() -> None:
    assert InternalSpot(fallen()).price(0) == pytest.approx(1.0)


def test_a_mix_falls_by_a_fifth_of_it() -> None:
    pair = SpotMarket(1.0, ENDLESS, random.Random(1))
    assert WeightedMix(fallen(), pair, lambda: 2.0).price(0) == pytest.approx(0.2 * 1 + 0.8 * 2)


def test_redemption_follows_the_base_and_no_market() -> None:
    base = Set(3000.0)
    source = RedemptionRate(1.08, lambda: base.value)
    assert source.price(0) == pytest.approx(3240)
    base.value = 2000.0
    assert source.price(1) == pytest.approx(2160)


@pytest.mark.parametrize(
    ("quotes", "price"),
    [
        ([(0.65, 0), (1.0, 0), (1.01, 0), (0.99, 0)], 1.0),
        ([(1.0, 0), (1.02, 0), (1.04, 0)], 1.02),
        ([(0.5, 0), (1.0, -STALE_MS - 1), (1.0, -STALE_MS - 1)], 0.5),
        ([(1.0, -STALE_MS - 1)], 7.0),
        ([(1.0, 0), (1.0 + 3 * DEVIATION, 0)], 1.0 + 1.5 * DEVIATION),
    ],
    ids=["one is off", "all count", "others are stale", "all are stale: the last price", "none is near the middle"],
)
def test_the_median_with_its_guards(quotes: list[tuple[float, int]], price: float) -> None:
    sources = [lambda now_ms, quote=quote: quote for quote in quotes]
    assert VenueMedian(sources, opening=7.0).price(0) == pytest.approx(price)


def test_an_average_over_time_moves_by_the_part_of_the_window_that_has_passed() -> None:
    source = Set(1.0)
    average = TimeWeightedAverage(source, window_ms=10_000, opening=1.0)
    assert average.price(0) == 1.0
    source.value = 0.5
    assert average.price(1_000) == pytest.approx(1.0)  # it held 1.0 until now
    assert average.price(3_000) == pytest.approx(0.8 + 0.2 * 0.5)
    for moment_ms in range(3_500, 12_000, 500):
        average.price(moment_ms)
    assert average.price(12_000) == pytest.approx(0.5)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_opens_at_the_redemption_value_and_only_the_book_follows_a_sale_in_full(mode: str) -> None:
    asset = Asset(1.08, lambda: 3000.0, Pricing(mode, depth=ENDLESS), seed=1)
    assert asset.price(0) == pytest.approx(3240, rel=0.005)
    asset.sell(300, 0)  # 972,000 USDT worth into a million
    assert asset.own.price(0) < 0.4 * 3240
    share = asset.price(1_000) / 3240
    expected = {"internal_spot": (0.3, 0.5), "weighted_mix": (0.8, 0.9)}.get(mode, (0.99, 1.01))
    assert expected[0] < share < expected[1]
