"""What the model claims would help, as a sentence that a second run can prove or refute."""

import math
from collections.abc import Sequence
from typing import Final

from chaoskit.analysis.ladder import point_at, rates_at
from chaoskit.analysis.observations import Observations, demand_in
from chaoskit.analysis.result import FaultResult, Rung, SaturationPoint
from chaoskit.analysis.windows import ResourceSeries
from chaoskit.units import format_duration, format_number, parse_duration_s

PLANNED_UTILIZATION: Final = 0.8
"""A resource is enlarged until the load to be carried keeps it this busy: full servers make queues without end."""


SLOWING: Final = frozenset({"latency", "bandwidth", "slicer", "slow_close", "cpu_limit"})
"""Kinds of faults that make visits longer; where others cut something off, no size of what waits for it helps."""

WORSE: Final = 1.1
"""A fault makes visits longer when one takes this many times as long; less is noise of the estimate."""


def describe_share(share: float) -> str:
    """Return a surge share as a person would say it: `44% of the surge`, `2.1 times the surge`, `the baseline`."""
    if share > 1.005:
        return f"{format_number(share)} times the surge"
    if share >= 0.1:
        return f"{share:.0%} of the surge"
    return f"{100 * share:.2g}% of the surge" if share > 0 else "the baseline already"


def describe_load(point: SaturationPoint) -> str:
    """Return a load as a person would say it: `34% of the surge (trading ×35, positions ×341)`."""
    multiples = ", ".join(f"{stream} ×{format_number(multiple)}" for stream, multiple in point.multiples.items())
    return f"{describe_share(point.share)} ({multiples})" if multiples else describe_share(point.share)


def enlarged(seen: Observations, one: ResourceSeries, rungs: Sequence[Rung]) -> str:
    """Predict what happens once `one` is enlarged: the size it needs, and what then gives way."""
    if one.kind == "generator":
        return (
            f"Until {one.kind_id} is enlarged (more load workers, or more connections), nothing is known of the target."
        )
    if one.kind == "host":
        return "Until the host has more CPU, or the load comes from another machine, nothing is known of the target."
    name = one.sized_by or one.kind_id
    if seen.demands[one.id].rough:
        return f"A larger {name} helps; too little was seen of it before it was full to say how large it must be."
    own = next((rung.saturates_at.share for rung in rungs if rung.resource == one.kind_id), None)
    following = next((rung for rung in rungs if rung.resource != one.kind_id), None)
    if following is not None and following.saturates_at.share <= min(1.0, math.inf if own is None else own):
        earlier = describe_load(following.saturates_at)
        return f"Enlarging {name} alone does not help: {following.resource} gives way earlier, at {earlier}."
    carried = min(1.0, following.saturates_at.share) if following else 1.0
    demand = seen.demands[one.id]
    needed = float(demand.total_s @ rates_at(seen.plan, carried)) / PLANNED_UTILIZATION + demand.background_s
    factor = needed / demand.servers if demand.servers else 1.0
    if factor <= 1:
        return f"Enlarging {name} does not help: it has room for the declared surge. Look for what holds it up."
    still = "" if one.waiting == "measured" else ", and as long as it is held no longer than undisturbed,"
    calm = " while no fault acts" if _acting(seen) else ""
    change, under_faults = f"With {_resized(one, factor)}{still}", _under_faults(seen, one, carried)
    if following is None:
        return f"{change} the declared surge is carried{calm}; nothing else that was measured gives way.{under_faults}"
    if following.saturates_at.share >= 1:
        return (
            f"{change} the declared surge is carried{calm}; "
            f"{following.resource} gives way next, at {describe_load(following.saturates_at)}.{under_faults}"
        )
    limit = describe_load(point_at(seen.plan, carried))
    return f"{change} the load is carried up to {limit}{calm}, then {following.resource} gives way.{under_faults}"


def slowdown(seen: Observations, resource: str, fault: str) -> float:
    """Return how many times as long as undisturbed the fault makes a visit; 1 where nothing is known."""
    surge = rates_at(seen.plan, 1.0)
    usual_s = float(seen.demands[resource].total_s @ surge)
    return float(demand_in(seen, resource, seen.active[fault]) @ surge) / usual_s if usual_s else 1.0


def _acting(seen: Observations) -> list[FaultResult]:
    """Return the faults that were in force, those without effect left out."""
    return [fault for fault in seen.faults if fault.applied_s is not None and fault.effective is not False]


def _under_faults(seen: Observations, one: ResourceSeries, carried: float) -> str:
    """Say what the same load asks for while a fault makes visits longer.

    An upper bound: calls given up while all servers are held keep theirs for longer than they would with enough.
    """
    demand, rates = seen.demands[one.id], rates_at(seen.plan, carried)
    said = ""
    for fault in _acting(seen):
        if fault.kind in SLOWING and slowdown(seen, one.id, fault.id) >= WORSE:
            slowed_s = demand_in(seen, one.id, seen.active[fault.id])
            needed = float(slowed_s @ rates) / PLANNED_UTILIZATION + demand.background_s
            said += f" While {fault.id} acts it would take up to {_resized(one, needed / demand.servers)}."
    return said


def without_fault(fault: str | None, rungs: Sequence[Rung], *, others: bool = False) -> str:
    """Predict what the load would do without the fault on a link or region: what then gives way first.

    `others`: the run had more faults, of which the prediction knows nothing.
    """
    cause = f"Without {fault}{' or any other fault' if others else ''}" if fault else "At the link's undisturbed speed"
    if not rungs:
        return f"{cause} nothing that was measured gives way."
    first, limit = rungs[0].resource, describe_load(rungs[0].saturates_at)
    if rungs[0].saturates_at.share >= 1:
        return f"{cause} the declared surge is carried; {first} gives way first, at {limit}."
    return f"{cause} the load is carried up to {limit}, then {first} gives way."


def _resized(one: ResourceSeries, factor: float) -> str:
    name = one.sized_by or one.kind_id
    if one.setting is None:
        return f"{name} enlarged {factor:.2g} times"
    try:
        return f"{name} {one.setting} → {math.ceil(int(one.setting) * factor)}"
    except ValueError:
        pass
    try:
        present_s = parse_duration_s(one.setting)
        return f"{name} {format_duration(present_s)} → {format_duration(present_s / factor)}"
    except ValueError:
        return f"{name} {one.setting} enlarged {factor:.2g} times"
