"""Is the baseline steady? One rule for the gate, which asks while the run plays, and for the verdict afterwards."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from chaoskit.analysis.result import Check
from chaoskit.plan.model import Plan
from chaoskit.records import Histogram, SampleBatch
from chaoskit.units import format_duration

BASELINE_ERRORS: Final = 0.01
STEADY_FLOOR_S: Final = 0.005
"""Halves that differ by less are as good as equal: between programs of one machine that is noise."""
STEADY_ERRORS: Final = 3.0
"""Halves differ only beyond this many standard errors of their seconds' quartiles."""
NOISE_CAP_RATIO: Final = 0.5
"""Noise excuses no halves that differ by more than this part of the larger one: a stall in one half is not steady."""
_SECONDS_FOR_ERROR: Final = 3
_QUARTILE: Final = 0.75


def steadiness(plan: Plan, batches: Iterable[SampleBatch], until_s: float | None = None) -> Iterator[Check]:
    """Yield a check for each stream of a plan with a baseline: its two halves agree, and hardly anything failed.

    The upper quartiles of the halves' responses may differ by `plan.steady_tolerance_ratio` of the larger one, by 5 ms,
    or by three standard errors (of at most half of the larger one), whichever is most. Quartiles, since one slow answer
    is no trend and a stall of seconds is. `until_s` ends the baseline early: what has not settled does not count.
    """
    if plan.baseline_phase is None:
        return
    phase = plan.phase(plan.baseline_phase)
    end_s = phase.end_s if until_s is None else min(phase.end_s, until_s)
    known = [batch for batch in batches if phase.start_s <= batch.second < end_s]
    for stream in plan.streams:
        planned = sum(stream.expected_per_second[int(phase.start_s) : int(end_s)])
        if stream.users is not None or planned:
            own = [batch for batch in known if batch.stream == stream.name]
            yield _check(stream.name, own, (phase.start_s + end_s) / 2, plan.steady_tolerance_ratio)


def _check(name: str, batches: list[SampleBatch], middle_s: float, tolerance_ratio: float) -> Check:
    ok = sum(batch.ok for batch in batches)
    arrived = ok + sum(sum(batch.failed.values()) for batch in batches)
    halves = ([b for b in batches if b.second < middle_s], [b for b in batches if b.second >= middle_s])
    (first_s, first_error_s), (second_s, second_error_s) = (_quartile(half) for half in halves)
    larger_s = max(first_s, second_s)
    noise_s = min(STEADY_ERRORS * math.hypot(first_error_s, second_error_s), NOISE_CAP_RATIO * larger_s)
    allowed_s = max(tolerance_ratio * larger_s, STEADY_FLOOR_S, noise_s)
    errors_ratio = 1 - ok / arrived if arrived else 0.0
    answered = all(any(batch.ok for batch in half) for half in halves)
    steady = answered and errors_ratio <= BASELINE_ERRORS and abs(second_s - first_s) <= allowed_s
    if not ok:
        means = "no successful answer"
    elif not answered:
        means = "one half of it has no successful answer"
    else:
        moved = f"{format_duration(first_s)}, then {format_duration(second_s)}"
        means = f"upper quartile of response {moved}; errors {errors_ratio:.1%}"
    word = "was steady" if steady else "was not steady"
    return Check(f"baseline of {name}", steady, f"The baseline of {name} {word}: {means}.")


def _quartile(batches: list[SampleBatch]) -> tuple[float, float]:
    """Return the quartile and the standard error of the seconds' quartiles (0 where they are few), in seconds."""
    seconds = [(batch.response_us.quantile_us(_QUARTILE) or 0) / 1e6 for batch in batches if batch.ok]
    quartile_us = Histogram.merged(batch.response_us for batch in batches).quantile_us(_QUARTILE) or 0
    error_s = float(np.std(seconds, ddof=1) / math.sqrt(len(seconds))) if len(seconds) >= _SECONDS_FOR_ERROR else 0.0
    return quartile_us / 1e6, error_s
