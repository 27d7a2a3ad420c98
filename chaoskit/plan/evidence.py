"""How many arrivals a percentile needs before it says anything, and which objectives will not get them."""

import math
from collections.abc import Iterator
from typing import Final

from chaoskit.metric import OF_ARRIVALS
from chaoskit.plan.model import Objective, Plan, PlannedPhase
from chaoskit.records import SAMPLES_BEYOND, carried

_QUANTILES: Final = (0.9999, 0.999, 0.99, 0.95, 0.9, 0.5)


def samples_needed(quantile: float) -> int | None:
    """Return the fewest samples that can carry `quantile`; None where no number of them can."""
    return math.ceil(SAMPLES_BEYOND / (1 - quantile) - 1e-6) if quantile < 1 else None


def quantile_name(quantile: float) -> str:
    """Return the quantile as objectives spell it: `p99`, `p99.9`."""
    return f"p{100 * quantile:.6g}"


def thin_objectives(plan: Plan) -> tuple[str, ...]:
    """Return a sentence for each objective whose phase will not have the arrivals that its percentile needs.

    A stream of users (closed model) has no planned number of arrivals; objectives that rest on one are left out.
    """
    return tuple(_thin(plan))


def _thin(plan: Plan) -> Iterator[str]:
    for objective in plan.objectives:
        count = _planned(plan, objective)
        if objective.quantile is None or count is None or carried(count, objective.quantile):
            continue
        needed = samples_needed(objective.quantile)
        name = quantile_name(objective.quantile)
        less = next((q for q in _QUANTILES if q < objective.quantile and carried(count, q)), None)
        mend = "lengthen the phase" if objective.phase else "lengthen the run"
        mend += f" or ask for {quantile_name(less)}" if less is not None else ""
        wants = f"{name} needs {needed:,}: {mend}" if needed else f"no number can carry {name}: {mend}"
        yield f"'{objective.text}' will rest on {count:,} arrivals; {wants}"


def _planned(plan: Plan, objective: Objective) -> int | None:
    """Return how many arrivals `objective` will speak of; None where the plan cannot know."""
    if objective.metric not in OF_ARRIVALS:
        return None
    streams = [stream for stream in plan.streams if objective.stream in {stream.name, None}]
    if any(stream.users is not None for stream in streams):
        return None
    phases = [phase for phase in plan.phases if objective.phase in {phase.name, None}]
    return sum(sum(stream.expected_per_second[_seconds(phase)]) for stream in streams for phase in phases)


def _seconds(phase: PlannedPhase) -> slice:
    """Return the seconds that begin within `phase`, as the analysis counts them."""
    return slice(math.ceil(phase.start_s), math.ceil(phase.end_s))
