"""The gate: nothing is disturbed before the baseline has proven steady."""

from chaoskit.plan.model import Plan
from chaoskit.runner.window import Seconds

# A second's answers have settled by the end of the next one, unless the target is unwell; the gate should see that.
SETTLE_S = 1
_ERRORS_BOUND = 0.01
_HARMLESS_S = 0.002


def unsteady(plan: Plan, seconds: Seconds) -> str | None:
    """Return why the baseline is not steady, or None when it is (or when the plan has no baseline phase).

    Steady means: every stream with planned arrivals has successes, at most 1 % errors, and its median response in the
    second half of the baseline is within `plan.steady_tolerance_ratio` of the first half's. A difference below 2 ms
    passes: on a loopback target it is noise of the machine.
    """
    if plan.baseline_phase is None:
        return None
    phase = plan.phase(plan.baseline_phase)
    first, last = int(phase.start_s), int(phase.end_s) - 1 - SETTLE_S
    middle = (first + last) // 2
    for stream in plan.streams:
        if not sum(stream.expected_per_second[first : last + 1]):
            continue
        whole = seconds.tally((stream.name,), first, last)
        if not whole.ok:
            return f"stream {stream.name} had no successful answer in {phase.name}"
        if whole.errors_ratio > _ERRORS_BOUND:
            return f"{whole.errors_ratio:.1%} of {stream.name} failed in {phase.name}, more than {_ERRORS_BOUND:.0%}"
        halves = [
            seconds.tally((stream.name,), *bounds).response_us.quantile_us(0.5)
            for bounds in ((first, middle), (middle + 1, last))
        ]
        if halves[0] is None or halves[1] is None:
            continue
        difference_s = abs(halves[1] - halves[0]) / 1e6
        if difference_s > _HARMLESS_S and difference_s * 1e6 > plan.steady_tolerance_ratio * halves[0]:
            return (
                f"the median response of {stream.name} moved from {halves[0] / 1000:.1f} ms to"
                f" {halves[1] / 1000:.1f} ms within {phase.name}, more than {plan.steady_tolerance_ratio:.0%}"
            )
    return None
