"""The objectives, each against what was measured in its phase."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chaoskit.analysis.domain import judge_finding
from chaoskit.analysis.measure import COMPARISONS, measured_quantile_s
from chaoskit.analysis.messages import judge_messages
from chaoskit.analysis.result import DomainFinding, ObjectiveResult, Recovery
from chaoskit.analysis.streams import in_phase
from chaoskit.metric import OF_MESSAGES
from chaoskit.plan.evidence import samples_needed
from chaoskit.plan.model import Objective, Plan
from chaoskit.records import Histogram, History, SampleBatch, carried

_UNITS: Final = {
    "quantile": "s",
    "service_quantile": "s",
    "errors": "ratio",
    "rate": "/s",
    "amplification": "x",
    "recovery": "s",
    "silence_quantile": "s",
    "age_quantile": "s",
    "messages": "/s",
    "drops": "ratio",
}


def objective_results(
    plan: Plan, history: History, recovery: Sequence[Recovery], domain: Sequence[DomainFinding] = ()
) -> tuple[ObjectiveResult, ...]:
    """Judge every objective of the plan, in its order."""
    seen = _Seen(plan, history, recovery, domain)
    return tuple(_judge(objective, seen) for objective in plan.objectives)


@dataclass(frozen=True, slots=True)
class _Seen:
    plan: Plan
    history: History
    recovery: Sequence[Recovery]
    domain: Sequence[DomainFinding]


def _judge(objective: Objective, seen: _Seen) -> ObjectiveResult:
    unit = _UNITS.get(objective.metric, "")
    if objective.metric == "finding":
        measured, reason, unit = judge_finding(objective, seen.domain)
    elif objective.metric == "recovery":
        measured, reason = _worst_recovery(objective, seen.recovery)
    elif objective.metric in OF_MESSAGES:
        measured, reason = judge_messages(objective, seen.plan, seen.history)
    else:
        measured, reason = _measure(objective, seen.plan, seen.history)
    met = None if measured is None else COMPARISONS[objective.comparison](measured, objective.bound)
    if measured == math.inf:
        measured = None
    return ObjectiveResult(objective.text, met, measured, objective.bound, unit, reason)


def _measure(objective: Objective, plan: Plan, history: History) -> tuple[float | None, str]:
    phases = [plan.phase(objective.phase)] if objective.phase is not None else list(plan.phases)
    batches = [
        batch
        for batch in history.samples
        if objective.stream in {batch.stream, None} and any(in_phase(batch, phase) for phase in phases)
    ]
    ok = sum(batch.ok for batch in batches)
    arrivals = ok + sum(sum(batch.failed.values()) for batch in batches)
    if arrivals == 0:
        return None, "no samples: nothing arrived that this objective speaks of"
    if objective.metric == "errors":
        return 1 - ok / arrivals, f"{arrivals - ok:,} of {arrivals:,} arrivals failed"
    if objective.metric == "rate":
        return ok / sum(phase.end_s - phase.start_s for phase in phases), f"{ok:,} arrivals were served"
    if objective.metric == "amplification":
        attempts = sum(batch.attempts for batch in batches)
        return attempts / arrivals, f"{attempts:,} attempts for {arrivals:,} arrivals"
    return _quantile(objective, batches)


def _quantile(objective: Objective, batches: Sequence[SampleBatch]) -> tuple[float | None, str]:
    quantile = objective.quantile if objective.quantile is not None else 0.99
    service = objective.metric == "service_quantile"
    merged = Histogram.merged(batch.service_us if service else batch.response_us for batch in batches)
    failed = sum(sum(batch.failed.values()) for batch in batches)
    arrivals = merged.count + failed
    if not carried(arrivals, quantile):
        needed = samples_needed(quantile)
        mend = f"it takes {needed:,}: run longer" if needed else "no number of them can"
        return None, f"{arrivals:,} arrivals cannot carry this percentile; {mend}"
    measured_s = measured_quantile_s(merged, failed, quantile)
    if measured_s == math.inf:
        return math.inf, f"{failed:,} of {arrivals:,} arrivals failed, more than {100 * (1 - quantile):.3g}% of all"
    counted = f", the {failed:,} that failed counted as never answered" if failed else ""
    return measured_s, f"over {arrivals:,} arrivals{counted}"


def _worst_recovery(objective: Objective, recovery: Sequence[Recovery]) -> tuple[float | None, str]:
    """Return the longest time to staying good; infinite where a stream never came back.

    One that did not settle took at least as long as it was watched. Where that alone does not break the bound, nothing
    is told: a slow recovery must not pass because the run ended first. One with nothing to recover from is left out.
    """
    own = [one for one in recovery if objective.stream in {one.stream, None}]
    lost = next((one for one in own if one.came_back is False), None)
    if lost is not None:
        return math.inf, f"{lost.stream} never came back after {lost.trigger}"
    unsettled = [one for one in own if one.unsettled_s is not None]
    longest = max(unsettled, key=lambda one: one.unsettled_s or 0.0, default=None)
    if longest is not None:
        at_least_s = longest.unsettled_s or 0.0
        broken = not COMPARISONS[objective.comparison](at_least_s, objective.bound)
        return at_least_s if broken else None, f"{longest.stream} {longest.reason} ({longest.trigger})"
    told = [one for one in own if one.came_back]
    if not told:
        why = f": {own[0].stream} {own[0].reason} ({own[0].trigger})" if own else ""
        return None, f"nothing to recover from was observed to its end{why}"
    worst = max(told, key=lambda one: one.stays_good_s or 0.0)
    said = f"slowest: {worst.stream} after {worst.trigger}"
    left_out = next((one for one in own if not one.came_back), None)
    if left_out is not None:
        said += f"; measured on {len(told)} of {len(own)}: {left_out.stream} {left_out.reason} ({left_out.trigger})"
    return worst.stays_good_s or 0.0, said
