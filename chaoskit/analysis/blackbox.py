"""What the client side alone can prove, where no resource that was measured explains the harm.

Throughput that no longer follows the offered load shows that something gave way and at about which rate; Little's law
says how many requests were under way at least; the kinds of errors and the time of the answers say how it gave way.
Which part it was stays unknown. Seconds under a fault prove nothing of the target's own limit and do not count, and
what is harmed by a fault at a load that the target cannot carry anyway is not the fault's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from chaoskit.analysis.causes import HARMED_RATIO, Harm
from chaoskit.analysis.ladder import point_at
from chaoskit.analysis.observations import Observations
from chaoskit.analysis.prediction import describe_load
from chaoskit.analysis.result import Bottleneck, CauseStep, Evidence, Rung
from chaoskit.analysis.windows import Mask, Series
from chaoskit.records import Histogram
from chaoskit.units import format_duration, format_number

FOLLOWS_RATIO: Final = 0.95
"""Throughput follows the load while at least this share of arrivals is served."""

SLOWER: Final = 2.0
"""Answers that take this many times as long as at baseline have waited inside the target."""

CONFIDENCE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a target follows the load, from outside: rates per second, all streams together.

    `behind` marks the seconds in which it did not, `asked_rps` were offered then and `served_rps` came back.
    `carried_rps` is the most that it was seen to keep up with, and `limit_rps` lies between that and the least with
    which it did not.
    """

    behind: Mask
    asked_rps: float
    served_rps: float
    carried_rps: float
    limit_rps: float


def is_black_box(seen: Observations) -> bool:
    """Return whether no resource of the target itself was measured."""
    return all(one.kind in {"generator", "host", "cpu"} for one in seen.series.values())


def limit_from_outside(seen: Observations) -> Limit | None:
    """Return where throughput stops to follow the load undisturbed; None where it always follows."""
    offered = seen.arrivals.offered.sum(axis=1)
    served = seen.arrivals.served.sum(axis=1)
    good = sum((entry.ok - entry.late for entry in seen.entries), np.zeros_like(offered))
    usable: Mask = (offered > 0) & ~seen.arrivals.late
    for fault in seen.faults:
        if fault.effective is not False:
            usable &= ~seen.active[fault.id]
    harmed: Mask = (good < FOLLOWS_RATIO * offered) & (offered - good > HARMED_RATIO * offered + 1)
    behind = usable & harmed & _in_surge(seen)
    if not behind.any():
        return None
    followed = usable & ~harmed & (served >= FOLLOWS_RATIO * offered)
    carried_rps = float(offered[followed].max(initial=0.0))
    served_rps = float(np.median(served[behind]))
    return Limit(
        behind=behind,
        asked_rps=float(np.median(offered[behind])),
        served_rps=served_rps,
        carried_rps=carried_rps,
        limit_rps=min(max(served_rps, carried_rps), float(offered[behind].min())),
    )


def without_overload(seen: Observations, harms: Sequence[Harm], limit: Limit) -> list[Harm]:
    """Take harm off a fault where the load was above the limit: without the fault it would have been done as well.

    A lost region keeps its harm: who enters there is not answered at any load.
    """
    offered = seen.arrivals.offered.sum(axis=1)

    def by_fault_alone(harm: Harm) -> bool:
        root = harm.root
        return root is not None and root.kind in {"link", "component"} and root.victim is None

    return [
        replace(harm, root=None) if by_fault_alone(harm) and offered[harm.second] > limit.limit_rps else harm
        for harm in harms
    ]


def client_side_finding(seen: Observations, limit: Limit) -> Bottleneck:
    """Return what `limit` shows, with its evidence, and no more."""
    worst = max(seen.names, key=lambda name: (_lost(seen, name), name))
    baseline_rps = sum(stream.baseline_rps for stream in seen.plan.streams)
    surge_rps = sum(stream.baseline_rps * stream.surge_multiple for stream in seen.plan.streams)
    growth_rps = surge_rps - baseline_rps
    share = max(0.0, (limit.limit_rps - baseline_rps) / growth_rps) if growth_rps > 0 else 0.0
    point = point_at(seen.plan, share)
    phase = seen.phases[worst][seen.plan.surge_phase or seen.plan.phases[-1].name]
    prediction = "Client side only: expose resource metrics (see the target manifest) to learn which part gives way."
    if not is_black_box(seen):
        prediction = "Nothing that was measured was full: measure more of the target to learn which part gives way."
    return Bottleneck(
        resource=seen.plan.target,
        kind="target",
        title=f"{seen.plan.target} stops following the load at {describe_load(point)}; client side only",
        saturates_at=point,
        prediction=prediction,
        capacity_per_s=limit.served_rps,
        utilization=None,
        confidence=CONFIDENCE,
        evidence=tuple(Evidence(statement, "client samples") for statement in _statements(seen, limit, worst)),
        cause_chain=(CauseStep(worst, "symptom", f"errors {phase.errors_ratio:.1%} in the surge"),),
    )


def outside_rung(found: Bottleneck) -> Rung | None:
    """Return the target as a rung of the ladder, where it stops following the load; None where that is not known."""
    if found.saturates_at is None:
        return None
    return Rung(
        resource=found.resource,
        kind=found.kind,
        saturates_at=found.saturates_at,
        own_share=None,
        baseline_utilization=None,
        surge_utilization=None,
        demand_s=0.0,
        capacity_per_s=found.capacity_per_s,
        setting=None,
        saturated=True,
    )


def _statements(seen: Observations, limit: Limit, worst: str) -> list[str]:
    served, asked = format_number(limit.served_rps), format_number(limit.asked_rps)
    lines = [f"served {served}/s of {asked}/s offered"]
    if limit.carried_rps:
        lines.append(f"was seen to keep up with {format_number(limit.carried_rps)}/s")
    under_way = _under_way(seen, limit.behind)
    lines.append(
        f"Little's law: at least about {format_number(under_way)} requests under way meanwhile, links included"
    )
    failed: dict[str, int] = {}
    for batch in seen.history.samples:
        if batch.stream == worst and _within(batch.second, limit.behind):
            for reason, count in batch.failed.items():
                failed[reason] = failed.get(reason, 0) + count
    kinds = sorted(failed.items(), key=lambda kind: (-kind[1], kind[0]))[:3]
    lines.append(f"{worst} failed by: {', '.join(f'{reason} ({count})' for reason, count in kinds) or 'lateness only'}")
    return [*lines, *_manner(seen, limit, worst, sum(failed.values()))]


def _manner(seen: Observations, limit: Limit, stream: str, failed: int) -> list[str]:
    """Say whether work waited inside the target or was turned away, where the time of the answers shows it.

    One stream is compared with itself: of all together, the mix alone may be slower in the surge.
    """
    baseline = np.zeros_like(limit.behind)
    baseline[seen.phase_windows(seen.plan.baseline_phase)] = True
    then_s, usual_s = (_median_service_s(seen, stream, windows) for windows in (limit.behind, baseline))
    if then_s is None or usual_s is None:
        return []
    compared = (
        f"an answer to {stream} took {format_duration(then_s)}, and {format_duration(usual_s)} at baseline (medians)"
    )
    if then_s >= SLOWER * usual_s:
        return [f"{compared}: requests wait inside the target, or on its links"]
    return [f"{compared}: the rest was not kept waiting but turned away or dropped"] if failed else []


def _median_service_s(seen: Observations, stream: str, windows: Mask) -> float | None:
    own = (batch for batch in seen.history.samples if batch.stream == stream and _within(batch.second, windows))
    merged = Histogram.merged(batch.service_us for batch in own)
    median_us = merged.carried_us(0.5)
    return None if median_us is None else median_us / 1e6


def _in_surge(seen: Observations) -> Mask:
    inside: Series = np.ones(len(seen.arrivals.clean))
    if seen.plan.surge_phase is not None:
        surge = seen.plan.phase(seen.plan.surge_phase)
        inside[:] = 0
        inside[int(surge.start_s) : int(surge.end_s)] = 1
    return inside > 0


def _within(second: int, windows: Mask) -> bool:
    return 0 <= second < len(windows) and bool(windows[second])


def _lost(seen: Observations, name: str) -> float:
    return sum((float(entry.harmed.sum()) for entry in seen.entries if entry.stream == name), 0.0)


def _under_way(seen: Observations, windows: Mask) -> float:
    """Return N = X R over `windows`: throughput times mean service time of what was answered."""
    total_us = sum(batch.service_us.total_us for batch in seen.history.samples if _within(batch.second, windows))
    return float(total_us) / 1e6 / max(1.0, float(windows.sum()))
