"""A spot market of a venue as its depth: who sells walks the price down, and it comes back as others buy.

It keeps the depth of a book and not its orders. With D USDT of bids for each e-fold of price, evenly in its logarithm,
selling v USDT worth at the fair price F moves the price from F e^-x to F e^-(x + v/D) and yields
F q e^-x (1 - e^-d) / d with d = v/D: the integral over the levels walked. Buyers bring x down by half every half-life.
"""

import math
import random
from dataclasses import dataclass

from exchange.engine.withdrawal import Withdrawal

STEP_MS = 100
DEEPEST = 12.0  # e^-12: six cents of ten thousand USDT; below that nobody is left to sell to


@dataclass(frozen=True, slots=True)
class Depth:
    """USDT of bids for each e-fold of price, how fast buyers come back, the noise of the price (log, per root second),
    and how strongly makers withdraw (`exchange.engine.withdrawal`).
    """

    usdt: float
    half_life_ms: float = 60_000.0
    noise: float = 0.0
    withdrawal: float = 0.0


class SpotMarket:
    """A market round `fair` USDT; `randomness` draws its noise, which always comes back to the fair price."""

    def __init__(self, fair: float, depth: Depth, randomness: random.Random) -> None:
        self.fair = fair
        self.depth = depth
        self.pressure = 0.0
        self._makers = Withdrawal(depth.withdrawal)
        self._randomness = randomness
        self._noise = 0.0
        self._at_ms: int | None = None

    def price(self, now_ms: int) -> float:
        """See `PriceSource`."""
        self._pass(now_ms)
        return self.fair * math.exp(self._noise - self.pressure)

    def sell(self, units: float, now_ms: int) -> float:
        """Sell at the market; returns the USDT that it brings."""
        before = self.price(now_ms)
        quoted_usdt = self.depth.usdt * self._makers.share(now_ms)
        step = units * self.fair / quoted_usdt
        if step <= 0:
            return 0.0
        self.pressure = min(DEEPEST, self.pressure + step)
        self._makers.moved(step, now_ms)
        return units * before * -math.expm1(-step) / step

    def _pass(self, now_ms: int) -> None:
        if self._at_ms is None:
            self._at_ms = now_ms
        passed_ms = now_ms - self._at_ms
        if passed_ms < STEP_MS:
            return
        self._at_ms = now_ms
        self.pressure *= 0.5 ** (passed_ms / self.depth.half_life_ms)
        if self.depth.noise:
            kept = 0.5 ** (passed_ms / 10_000)
            self._noise = self._noise * kept + self._randomness.gauss(0, self.depth.noise) * math.sqrt(1 - kept * kept)


def arbitrage(markets: list[SpotMarket], passed_ms: int, half_life_ms: float) -> None:
    """Let those who buy where it is cheap and sell where it is dear close half of every gap each `half_life_ms`.

    What one market gains others lose: the sum of depth x pressure stays.
    """
    closed = 1 - 0.5 ** (passed_ms / half_life_ms)
    together = sum(market.depth.usdt * market.pressure for market in markets) / sum(m.depth.usdt for m in markets)
    for market in markets:
        market.pressure += closed * (together - market.pressure)
