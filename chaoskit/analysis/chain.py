"""The words of a finding: its title, and the chain from the symptom over the victims to the root."""

from itertools import pairwise
from typing import Final

import numpy as np

from chaoskit.analysis.case import Case
from chaoskit.analysis.causes import Root
from chaoskit.analysis.ladder import rates_at
from chaoskit.analysis.observations import Observations, demand_in
from chaoskit.analysis.prediction import describe_load, slowdown
from chaoskit.analysis.result import CauseStep, SaturationPoint
from chaoskit.analysis.waits import SLOWER
from chaoskit.analysis.windows import ResourceSeries

_HOW_STRUCK: Final = {
    "down": "cut",
    "partition": "cut",
    "timeout": "cut",
    "kill": "dead",
    "stop": "stopped",
    "restart": "stopped",
    "pause": "paused",
    "cpu_limit": "short of CPU",
    "memory_limit": "short of memory",
}
"""What a fault makes of a link or a component, by kind, in place of the usual words."""

DECLARED: Final = "held for {}, as its manifest says; for how long is not measured"
FULL_OF_ITSELF: Final = "full, and what it waits for is neither full nor slower than usual"
FULL_FOR_ALL_THAT_IS_KNOWN: Final = "full; what it waits for is not measured"


def title(seen: Observations, root: Root, point: SaturationPoint | None, fault: str | None) -> str:
    """Return the finding in one line: what gave way, at which load, and the fault that made it so or worse."""
    titles = {planned.id: planned.title for planned in seen.plan.faults}
    kinds = {planned.id: planned.kind for planned in seen.plan.faults}
    at = f" at {describe_load(point)}" if point else ""
    if root.kind == "link":
        link, disturbed = root.subject.partition(":")[2], titles.get(fault or "")
        if disturbed is None:
            return f"What answers on the link {link} became slower, with no fault declared{at}"
        return f"The link {link} is {_HOW_STRUCK.get(kinds.get(fault or '', ''), 'too slow')}: {disturbed}{at}"
    if root.kind in {"region", "component"}:
        how = _HOW_STRUCK.get(kinds.get(fault or "", ""), "gone")
        return f"The {root.subject.replace(':', ' ')} is {how}: {titles.get(fault or '', '')}"
    if root.kind == "host" and point is not None and point.share > 1:
        return f"The host has no CPU left, with other programs on it (the load alone fills it only{at})"
    if root.kind == "host":
        return f"The host has no CPU left{at}; the target is not tested"
    if root.kind == "generator" and point is not None and point.share > 1:
        return f"The load generator was late, although the load alone fills {root.subject} only{at}"
    if root.kind == "generator":
        return f"The load generator cannot keep up ({root.subject}){at}; the target is not tested"
    if root.starved:
        return f"{root.subject} is not to be had: a limit, or other programs, keep the component from running"
    worse = f", made worse by {titles[fault]}" if fault in titles else ""
    if point is not None and point.share > 1 and root.kind != "limiter":
        return f"{root.subject} was full, although the load alone fills it only{at}{worse}"
    return f"{root.subject} runs out{at}{worse}"


def cause_chain(case: Case, seen: Observations, fault: str | None) -> tuple[CauseStep, ...]:
    """Return the steps from the harmed stream over each victim to the root, each with what shows it."""
    steps = [CauseStep(case.stream, "symptom", f"{case.arrivals:,.0f} arrivals failed or came late")]
    for held, following in pairwise((*case.root.held, case.root.subject)):
        if held.startswith("link:"):
            steps.append(CauseStep(held, "victim", "slower than undisturbed, for answers lie unread or are not made"))
            continue
        kin = [one for one in seen.series.values() if one.kind_id == held]
        waiting = max((_blocked_ratio(seen, one.id, case.seconds) for one in kin), default=0.0)
        measured = all(one.waiting == "measured" for one in kin)
        said = f"busy waiting for {following} {waiting:.0%} of the time" if measured else DECLARED.format(following)
        steps.append(CauseStep(held, "victim", said))
    reasons = {
        "link": f"slowed by {case.root.fault}"
        if case.root.fault
        else "slower than undisturbed, without a declared fault",
        "region": f"cut off by {case.root.fault}",
        "component": f"disturbed by {case.root.fault}",
        "generator": "full, or late by itself, while the target answers",
        "host": "its CPU was full",
    }
    return (*steps, CauseStep(case.root.subject, "root", reasons.get(case.root.kind) or _why_full(case, seen, fault)))


def _knows_suppliers(seen: Observations, one: ResourceSeries) -> bool:
    """Return whether what `one` waits for is measured: by its own account, or by what stands there."""
    return one.waiting == "measured" or bool(seen.topology.all_suppliers(one))


def _why_full(case: Case, seen: Observations, fault: str | None) -> str:
    if case.root.starved:
        return "ready to run, and kept from its processor by a limit or by other programs"
    one = seen.series.get(case.root.victim or "")
    if fault is not None and one is not None:
        times = slowdown(seen, one.id, fault)
        return f"too small for the load even without {fault}, which makes each visit {times:.2g} times as long"
    if one is not None and not _knows_suppliers(seen, one):
        return FULL_FOR_ALL_THAT_IS_KNOWN
    if one is None or not one.blocked_s:
        return "full"
    times = _held_times(seen, one.id, case.seconds)
    if times >= SLOWER:
        return f"too small for the load at its usual speed; each visit took {times:.2g} times as long"
    return FULL_OF_ITSELF


def _held_times(seen: Observations, resource: str, seconds: list[int]) -> float:
    """Return how many times as long as undisturbed a visit took in `seconds`."""
    mask, surge = np.zeros(len(seen.arrivals.clean), dtype=np.bool_), rates_at(seen.plan, 1.0)
    mask[seconds] = True
    usual_s = float(seen.demands[resource].total_s @ surge)
    return float(demand_in(seen, resource, mask) @ surge) / usual_s if usual_s else 1.0


def _blocked_ratio(seen: Observations, resource: str, seconds: list[int]) -> float:
    one = seen.series[resource]
    busy_s = float(one.busy_s[seconds].sum())
    return float(one.all_blocked_s[seconds].sum()) / busy_s if busy_s else 0.0
