"""Who plays which arrivals: shares of a schedule by index, so that they can be split again and again and stay exact."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chaoskit.plan.arrivals import Schedule

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Share:
    """Of each stream the arrivals `offset`, `offset + step`, … that are due at `from_us` or later.

    `offset` is 0 … `step` - 1. The shares `Share(0, n)` … `Share(n - 1, n)` are a whole schedule, each arrival once.
    """

    offset: int
    step: int
    from_us: int = 0

    def split(self, parts: int, from_us: int) -> "Sequence[Share]":
        """Return `parts` shares that together are what of this one is due at `from_us` or later."""
        since_us = max(from_us, self.from_us)
        return [Share(self.offset + part * self.step, parts * self.step, since_us) for part in range(parts)]

    def first(self, whole: Schedule) -> int:
        """Return the index in `whole` of this share's first arrival; the others follow at every `step`."""
        due = int(np.searchsorted(whole.times_us, self.from_us))
        return due + (self.offset - due) % self.step

    def per_second(self, whole: Schedule, until_us: int) -> dict[int, int]:
        """Return how many of its arrivals are due before `until_us`, by second of the run."""
        times_us = whole.times_us[self.first(whole) :: self.step]
        seconds, counts = np.unique(times_us[times_us < until_us] // _SECOND_US, return_counts=True)
        return dict(zip(seconds.tolist(), counts.tolist(), strict=True))
