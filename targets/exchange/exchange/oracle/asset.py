"""One asset that is taken as collateral: its markets here and elsewhere, and the price that the venue makes of them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from exchange.oracle.contract import PriceSource
from exchange.oracle.internal_spot import InternalSpot
from exchange.oracle.market import STEP_MS, Depth, SpotMarket, arbitrage
from exchange.oracle.redemption import RedemptionRate
from exchange.oracle.twap import TimeWeightedAverage
from exchange.oracle.venue_median import Quote, VenueMedian
from exchange.oracle.weighted_mix import WeightedMix

MODES = ("internal_spot", "weighted_mix", "redemption_rate", "venue_median", "twap")
OTHER_VENUES = 3
OTHERS_DEEPER = 5.0  # each of the others has so many times the depth of the venue's own market
NOISE = 0.0005
ARBITRAGE_HALF_LIFE_MS = 120_000.0  # transfers between venues were hardly possible for half an hour


@dataclass(frozen=True, slots=True)
class Pricing:
    """How the venue prices the asset: a mode of `MODES`, the window of `twap`, and the depth of its own market."""

    mode: str = "internal_spot"
    window_ms: int = 600_000
    depth: Depth = field(default_factory=lambda: Depth(140_000_000))


class Asset:
    """`rate` units of the base asset redeem one unit; `base` is the base asset's price in USDT."""

    def __init__(self, rate: float, base: Callable[[], float], pricing: Pricing, seed: int) -> None:
        randomness = random.Random(seed)
        self._rate = rate
        self._base = base
        own, opening = pricing.depth, rate * base()
        other = Depth(own.usdt * OTHERS_DEEPER, own.half_life_ms, NOISE)
        self.own = SpotMarket(opening, own, randomness)
        self.others = [SpotMarket(opening, other, randomness) for _ in range(OTHER_VENUES)]
        pair = SpotMarket(rate, own, randomness)
        self._source = _source(pricing, self, pair, opening)
        self._arbitraged_ms: int | None = None

    def redemption(self) -> float:
        """What the issuer pays now, in USDT."""
        return self._rate * self._base()

    def price(self, now_ms: int) -> float:
        """What the venue holds one unit to be worth, in USDT; the markets go on until `now_ms`."""
        self._advance(now_ms)
        return self._source.price(now_ms)

    def sell(self, units: float, now_ms: int) -> float:
        """Sell on the venue's own market; returns the USDT that it brings."""
        self._advance(now_ms)
        return self.own.sell(units, now_ms)

    def base_price(self) -> float:
        """The base asset's price, in USDT."""
        return self._base()

    @property
    def rate(self) -> float:
        """Units of the base asset for one unit."""
        return self._rate

    def _advance(self, now_ms: int) -> None:
        fair = self.redemption()
        for market in (self.own, *self.others):
            market.fair = fair
        if self._arbitraged_ms is None:
            self._arbitraged_ms = now_ms
        passed_ms = now_ms - self._arbitraged_ms
        if passed_ms >= STEP_MS:
            self._arbitraged_ms = now_ms
            arbitrage([self.own, *self.others], passed_ms, ARBITRAGE_HALF_LIFE_MS)


def _source(pricing: Pricing, asset: Asset, pair: SpotMarket, opening: float) -> PriceSource:
    match pricing.mode:
        case "weighted_mix":
            return WeightedMix(asset.own, pair, asset.base_price)
        case "redemption_rate":
            return RedemptionRate(asset.rate, asset.base_price)
        case "venue_median":
            return VenueMedian([_quote(market) for market in (asset.own, *asset.others)], opening)
        case "twap":
            return TimeWeightedAverage(asset.own, pricing.window_ms, opening)
        case _:
            return InternalSpot(asset.own)


def _quote(market: SpotMarket) -> Quote:
    return lambda now_ms: (market.price(now_ms), now_ms)
