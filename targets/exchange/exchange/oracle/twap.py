"""The time-weighted average of the venue's own price over a window: sum of price x duration / window.

The time before the first look counts at the opening price: the venue has been there before.
"""

from collections import deque

from exchange.oracle.contract import PriceSource


class TimeWeightedAverage:
    """Over `window_ms` of what `source` says; each price holds until the next look."""

    def __init__(self, source: PriceSource, window_ms: int, opening: float) -> None:
        self._source = source
        self._window_ms = window_ms
        self._opening = opening
        self._steps: deque[tuple[int, int, float]] = deque()  # from, until, price
        self._looked: tuple[int, float] | None = None
        self._covered_ms = 0
        self._sum = 0.0

    def price(self, now_ms: int) -> float:
        """See `PriceSource`."""
        if self._looked is not None and now_ms > self._looked[0]:
            since_ms, held = self._looked
            self._steps.append((since_ms, now_ms, held))
            self._covered_ms += now_ms - since_ms
            self._sum += held * (now_ms - since_ms)
        self._looked = (now_ms, self._source.price(now_ms))
        self._forget(now_ms - self._window_ms)
        return (self._sum + self._opening * (self._window_ms - self._covered_ms)) / self._window_ms

    def _forget(self, before_ms: int) -> None:
        while self._steps and self._steps[0][0] < before_ms:
            since_ms, until_ms, held = self._steps.popleft()
            cut_ms = min(until_ms, before_ms)
            self._covered_ms -= cut_ms - since_ms
            self._sum -= held * (cut_ms - since_ms)
            if until_ms > before_ms:
                self._steps.appendleft((before_ms, until_ms, held))
                return
