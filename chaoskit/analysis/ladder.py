"""The ladder: every resource by the load at which it gives way, along the line from baseline to surge.

At surge share x, stream s arrives at b (1 + x (M - 1)) per second, b its baseline rate, M its multiple in the surge. A
resource of which background work leaves m servers free is full where sum of D[s] rate[s] = m; both sides are straight
lines in x.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from chaoskit.analysis.observations import CLEAN_FAILED_RATIO, Observations
from chaoskit.analysis.result import Rung, SaturationPoint
from chaoskit.analysis.windows import Series
from chaoskit.plan.model import Plan

CARRIED_S: Final = 3
"""A load counts as carried when it was for this many seconds on end."""

FAR_SHARE: Final = 1000.0
"""Beyond this surge share a straight line says nothing more; such resources are left off the ladder."""


def rates_at(plan: Plan, share: float) -> Series:
    """Return the arrival rate of each stream, per second, at surge share `share`."""
    return np.array([s.baseline_rps * (1 + share * (s.surge_multiple - 1)) for s in plan.streams])


def saturating_share(plan: Plan, demand_s: Series, servers: float) -> float | None:
    """Return the surge share at which `servers` are full; 0 if they are at baseline, None if the surge adds nothing."""
    baseline = float(demand_s @ rates_at(plan, 0.0))
    growth = float(demand_s @ rates_at(plan, 1.0)) - baseline
    if servers <= 0 or growth <= 0 or servers - baseline > FAR_SHARE * growth:
        return None
    return max(0.0, (servers - baseline) / growth)


def point_at(plan: Plan, share: float) -> SaturationPoint:
    """Describe a surge share: each stream's multiple of baseline and its rate there."""
    multiples = {stream.name: 1 + share * (stream.surge_multiple - 1) for stream in plan.streams}
    rates = rates_at(plan, share).tolist()
    return SaturationPoint(share, multiples, dict(zip(multiples, rates, strict=True)))


def shares_by_instance(seen: Observations, kind_id: str) -> Mapping[str, float]:
    """Return the saturating share of each instance of `kind_id` that has one."""
    shares = {}
    for one in seen.series.values():
        if one.kind_id == kind_id and one.id in seen.demands and not seen.demands[one.id].rough:
            demand = seen.demands[one.id]
            share = saturating_share(seen.plan, demand.total_s, demand.free_servers)
            if share is not None:
                shares[one.id] = share
    return shares


def carried_share(seen: Observations) -> float:
    """Return the largest surge share that was carried for `CARRIED_S` on end, hardly any arrival failed or late."""
    baseline, surge = (float(rates_at(seen.plan, share).sum()) for share in (0.0, 1.0))
    asked = seen.arrivals.offered.sum(axis=1)
    harmed = sum((entry.harmed for entry in seen.entries), np.zeros(len(asked)))
    carried = seen.arrivals.clean & (asked > 0) & (harmed <= CLEAN_FAILED_RATIO * asked)
    rates = [
        float(asked[first : first + CARRIED_S].mean())
        for first in range(len(asked) - CARRIED_S + 1)
        if carried[first : first + CARRIED_S].all()
    ]
    return (max(rates, default=0.0) - baseline) / (surge - baseline) if surge > baseline else 0.0


def ladder(seen: Observations, outside: Rung | None = None) -> tuple[Rung, ...]:
    """Return one rung per kind of resource, for its instance that gives way first; nearest rung first.

    A processor that other programs use too looks nearer to its end than it is: where more was carried than it should
    have had room for, what it did cannot be told from the load, and it is left off. `outside` is the target as a
    whole, where nothing of it was measured. A machine that was full at baseline is no rung: it bounds every one.
    """
    carried = carried_share(seen)
    left_off = {"queue", "host"} if seen.host_was_full else {"queue"}
    kinds = sorted({one.kind_id for one in seen.series.values() if one.kind not in left_off})
    rungs = [] if outside is None else [outside]
    for kind_id in kinds:
        shares = shares_by_instance(seen, kind_id)
        if shares:
            nearest = min(shares, key=lambda resource: (shares[resource], resource))
            refuted = seen.series[nearest].kind in {"host", "cpu"} and shares[nearest] < carried
            rungs += [] if refuted else [_rung(seen, nearest, shares[nearest])]
    return tuple(sorted(rungs, key=lambda rung: (rung.saturates_at.share, rung.resource)))


def _rung(seen: Observations, resource: str, share: float) -> Rung:
    one, demand, plan = seen.series[resource], seen.demands[resource], seen.plan
    surge = rates_at(plan, 1.0)
    visits = float(demand.visits @ surge) or float(surge.sum())
    per_visit_s = float(demand.total_s @ surge) / visits
    kin = [other.id for other in seen.series.values() if other.kind_id == one.kind_id]
    return Rung(
        resource=one.kind_id,
        kind=one.kind,
        saturates_at=point_at(plan, share),
        # Its own work is what is left of its demand without waiting: not known where the waiting is not measured.
        own_share=saturating_share(plan, demand.own_s, demand.free_servers) if one.waiting == "measured" else None,
        baseline_utilization=seen.mean_utilization(resource, plan.baseline_phase),
        surge_utilization=seen.mean_utilization(resource, plan.surge_phase),
        demand_s=per_visit_s,
        capacity_per_s=demand.free_servers * len(kin) / per_visit_s if per_visit_s > 0 else None,
        setting=one.sized_by,
        saturated=any(bool(seen.saturated[resource].any()) for resource in kin),
    )
