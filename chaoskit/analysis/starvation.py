"""Who was ready to run and had no CPU: a limit had taken it away, or others on the machine had it.

A starved process lets answers lie. What it then measures as waiting for somebody else is waiting for its own turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from chaoskit.analysis.windows import Mask, Series, differences, enclosed
from chaoskit.records import History, UsageSample

LEAST_WAIT_S: Final = 0.1
"""Waits that add up to less than this in a second are those of any machine on which more than one program runs."""


@dataclass(frozen=True, slots=True)
class CpuWait:
    """By window: CPU seconds that one instance `used`, and those that its threads `waited` for a CPU."""

    used_s: Series
    waited_s: Series

    @property
    def starved(self) -> Mask:
        """The windows in which it waited for longer than it ran."""
        mask: Mask = (self.waited_s >= LEAST_WAIT_S) & (self.waited_s > self.used_s)
        return mask

    def denied_ratio(self, windows: list[int]) -> float:
        """Return how much of the time in which it was ready to run it had no CPU (0 … 1)."""
        waited_s, used_s = float(self.waited_s[windows].sum()), float(self.used_s[windows].sum())
        return waited_s / (waited_s + used_s) if waited_s else 0.0


def cpu_waits(history: History, count: int) -> Mapping[str, CpuWait]:
    """Return the waits of each instance, by name, in `count` windows; without those of which they are not known."""
    told: dict[str, list[UsageSample]] = {}
    for usage in history.usage:
        if usage.cpu_wait_s is not None:
            told.setdefault(usage.source, []).append(usage)
    return {source: _waits(sorted(samples, key=lambda one: one.t_s), count) for source, samples in told.items()}


def _waits(samples: list[UsageSample], count: int) -> CpuWait:
    times_s = np.array([sample.t_s for sample in samples])
    known = enclosed(times_s, count)
    used_s = differences(times_s, [sample.cpu_s for sample in samples], count)
    waited_s = differences(times_s, [sample.cpu_wait_s or 0.0 for sample in samples], count)
    return CpuWait(np.where(known, used_s, 0.0), np.where(known, waited_s, 0.0))
