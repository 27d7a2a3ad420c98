"""Without resource metrics: what the client side alone can prove.

Throughput that no longer follows the offered load shows that something gave way and at which rate; Little's law says
how many requests were inside; the kinds of errors say how it gave way. Which part it was stays unknown.
"""

from typing import Final

import numpy as np

from chaoskit.analysis.causes import HARMED_RATIO
from chaoskit.analysis.ladder import point_at
from chaoskit.analysis.observations import Observations
from chaoskit.analysis.prediction import describe_load
from chaoskit.analysis.result import Bottleneck, CauseStep, Evidence, Rung
from chaoskit.units import format_number

FOLLOWS_RATIO: Final = 0.95
"""Throughput follows the load while at least this share of arrivals is served."""

CONFIDENCE: Final = 0.3


def is_black_box(seen: Observations) -> bool:
    """Return whether no resource of the target itself was measured."""
    return all(one.kind in {"generator", "host", "cpu"} for one in seen.series.values())


def client_side_finding(seen: Observations) -> Bottleneck | None:
    """Return what the surge shows from outside: where throughput stopped to follow; None where it always followed."""
    windows = _surge_windows(seen)
    offered = seen.arrivals.offered[windows].sum(axis=1)
    ok = sum((entry.ok - entry.late for entry in seen.entries), np.zeros(len(seen.arrivals.clean)))[windows]
    behind = np.flatnonzero((ok < FOLLOWS_RATIO * offered) & (offered - ok > HARMED_RATIO * offered + 1))
    if behind.size == 0:
        return None
    worst = max(seen.names, key=lambda name: (_lost(seen, name), name))
    served = seen.arrivals.served[windows].sum(axis=1)
    plateau_rps = float(np.median(served[behind]))
    baseline_rps = sum(stream.baseline_rps for stream in seen.plan.streams)
    surge_rps = sum(stream.baseline_rps * stream.surge_multiple for stream in seen.plan.streams)
    growth_rps = surge_rps - baseline_rps
    # The most that was ever served bounds the capacity, and so does the load at which it first fell behind.
    most_rps = min(float(served.max()), float(offered[behind[0]]))
    share = max(0.0, (most_rps - baseline_rps) / growth_rps) if growth_rps > 0 else 0.0
    point = point_at(seen.plan, share)
    phase = seen.phases[worst][seen.plan.surge_phase or seen.plan.phases[-1].name]
    inside = _in_flight(seen, windows)
    asked_rps = float(np.median(offered[behind]))
    kinds = ", ".join(
        f"{reason} ({count})" for reason, count in sorted(phase.failed.items(), key=lambda kv: -kv[1])[:3]
    )
    return Bottleneck(
        resource=seen.plan.target,
        kind="target",
        title=f"{seen.plan.target} stops following the load at {describe_load(point)}; client side only",
        saturates_at=point,
        prediction="Client side only: expose resource metrics (see the target manifest) to learn which part gives way.",
        capacity_per_s=plateau_rps,
        utilization=None,
        confidence=CONFIDENCE,
        evidence=(
            Evidence(
                f"served {format_number(plateau_rps)}/s of {format_number(asked_rps)}/s offered",
                "client samples",
            ),
            Evidence(
                f"Little's law: about {format_number(inside)} requests inside the target meanwhile", "client samples"
            ),
            Evidence(f"{worst} failed by: {kinds or 'lateness only'}", "client samples"),
        ),
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


def _surge_windows(seen: Observations) -> slice:
    if seen.plan.surge_phase is None:
        return slice(0, len(seen.arrivals.clean))
    surge = seen.plan.phase(seen.plan.surge_phase)
    return slice(int(surge.start_s), int(surge.end_s))


def _lost(seen: Observations, name: str) -> float:
    return sum((float(entry.harmed.sum()) for entry in seen.entries if entry.stream == name), 0.0)


def _in_flight(seen: Observations, windows: slice) -> float:
    """Return N = X R over the surge: throughput times mean service time of what was served."""
    batches = [batch for batch in seen.history.samples if windows.start <= batch.second < windows.stop]
    total_s = float(sum(batch.service_us.total_us for batch in batches)) / 1e6
    return total_s / max(1.0, float(windows.stop - windows.start))
