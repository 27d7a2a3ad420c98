"""The price over several venues, guarded: sources that are stale or far from the median do not count.

Guards as in the venue's rules for indices: deviation beyond 5 % of the median, or no update for 10 s, weight 0; the
rest counts alike. Where none is left, the last price stands ("last price protected").
"""

from collections.abc import Callable, Sequence
from statistics import fmean, median

DEVIATION = 0.05
STALE_MS = 10_000

Quote = Callable[[int], tuple[float, int]]
"""A source: its price now, and when it was last updated (wall-clock ms)."""


class VenueMedian:
    """`sources` in any order, the venue's own among them."""

    def __init__(self, sources: Sequence[Quote], opening: float) -> None:
        self._sources = sources
        self._last = opening

    def price(self, now_ms: int) -> float:
        """See `PriceSource`."""
        quotes = [source(now_ms) for source in self._sources]
        fresh = [price for price, updated_ms in quotes if now_ms - updated_ms <= STALE_MS]
        if fresh:
            middle = median(fresh)
            counted = [price for price in fresh if abs(price - middle) <= DEVIATION * middle]
            self._last = fmean(counted) if counted else middle
        return self._last
