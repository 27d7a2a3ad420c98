"""From harmed arrivals and their roots to ranked findings with evidence.

Rank: the load generator and the host that it runs on first where they explain a substantial part of the harm (nothing
else is proven while they are short), then by the number of harmed arrivals that a root explains. While every objective
holds, harm that hardly any arrival of its phase shared in is no finding. Confidence: 0.4 + 0.55 x (checks that agree /
checks that apply) x n / (n + 10) for n arrivals; the checks are those of `_checks` and `_fault_votes`, nearly each of
which is also a line of evidence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from chaoskit.analysis.causes import HARMED_RATIO, SLOWER, Harm, Root
from chaoskit.analysis.ladder import point_at, rates_at, saturating_share, shares_by_instance
from chaoskit.analysis.observations import Observations, demand_in
from chaoskit.analysis.prediction import WORSE, describe_load, describe_share, enlarged, slowdown, without_fault
from chaoskit.analysis.result import Bottleneck, CauseStep, Evidence, Rung, SaturationPoint
from chaoskit.analysis.windows import ResourceSeries
from chaoskit.units import format_duration, format_number

MINOR_RATIO: Final = 0.02
MINOR_ARRIVALS: Final = 5
"""Roots that explain fewer arrivals, or a smaller share of the harm, are noise and not listed."""

SUBSTANTIAL: Final = 0.25
"""A generator or host that explains less of the harm than this neither leads nor voids the run."""

MATTERS: Final = HARMED_RATIO
"""While every objective holds, a root must have harmed this part of a stream's arrivals in a phase to be a finding."""

FEW: Final = 10.0
"""With this many arrivals a finding is half as sure as with very many."""

REGIONS_DIFFER: Final = 1.25
HELD_UP_S: Final = 3
"""Harm this near to that of another finding needs no cause of its own (a call that began then may live so long)."""

_GONE: Final = frozenset({"link", "region", "component", "generator"})
"""Kinds of roots on which a fault acts by itself, rather than by making visits to a full resource longer."""

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

LEAST_CONFIDENCE: Final = 0.4
MOST_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class _Case:
    """All harm that one subject explains; `root` is the commonest form of the root."""

    root: Root
    harms: tuple[Harm, ...]
    arrivals: float
    total: float

    @property
    def seconds(self) -> list[int]:
        return sorted({harm.second for harm in self.harms})

    @property
    def stream(self) -> str:
        sums: Counter[str] = Counter()
        for harm in self.harms:
            sums[harm.stream] += round(harm.arrivals)
        return max(sorted(sums), key=lambda stream: sums[stream])


def findings(
    seen: Observations, harms: Sequence[Harm], rungs: Sequence[Rung], *, all_held: bool = False
) -> tuple[Bottleneck, ...]:
    """Return the bottlenecks, the one that explains most harm first; `all_held`: no objective was missed."""
    total = sum(harm.arrivals for harm in harms)
    by_subject: dict[str, list[Harm]] = {}
    for harm in harms:
        if harm.root is not None:
            by_subject.setdefault(harm.root.subject, []).append(harm)
    cases = []
    for _, explained in sorted(by_subject.items()):
        arrivals = sum(harm.arrivals for harm in explained)
        matters = not all_held or _worst_share(seen, explained) >= MATTERS
        if matters and arrivals >= max(MINOR_ARRIVALS, MINOR_RATIO * total):
            cases.append(_Case(_commonest(explained), tuple(explained), arrivals, total))
    cases.sort(key=lambda case: (not _voids(case), -case.arrivals, case.root.subject))
    shares = {rung.resource: rung.saturates_at.share for rung in rungs}
    proven = [case for case in cases if not _roomy(case, shares)]
    near = {second + away for case in proven for second in case.seconds for away in range(-HELD_UP_S, HELD_UP_S + 1)}
    kept = [case for case in cases if case in proven or _outside(case, near) >= case.arrivals / 2]
    return tuple(_bottleneck(seen, case, rungs) for case in kept)


def _voids(case: _Case) -> bool:
    return case.root.kind in {"generator", "host"} and case.arrivals >= SUBSTANTIAL * case.total


def _worst_share(seen: Observations, harms: Sequence[Harm]) -> float:
    """Return the largest share of a stream's arrivals in a phase that `harms` make up."""
    shares = [0.0]
    for phase in seen.plan.phases:
        for name in seen.names:
            own = [h.arrivals for h in harms if h.stream == name and phase.start_s <= h.second < phase.end_s]
            shares.append(sum(own) / max(1, seen.phases[name][phase.name].offered))
    return max(shares)


def _roomy(case: _Case, shares: Mapping[str, float]) -> bool:
    """Return whether the subject has room for the whole surge: it was full only because something held it up."""
    return case.root.kind in {"pool", "server", "cpu"} and shares.get(case.root.subject, 0.0) > 1


def _outside(case: _Case, near: set[int]) -> float:
    """Return how many arrivals of the case were harmed in seconds that no other finding explains."""
    return sum(harm.arrivals for harm in case.harms if harm.second not in near)


def _commonest(harms: Sequence[Harm]) -> Root:
    weights: Counter[Root] = Counter()
    for harm in harms:
        if harm.root is not None:
            weights[harm.root] += round(harm.arrivals)
    return max(weights, key=lambda root: (weights[root], repr(root)))


def _bottleneck(seen: Observations, case: _Case, rungs: Sequence[Rung]) -> Bottleneck:
    root = case.root
    rung = next((rung for rung in rungs if rung.resource == root.subject), None)
    nearest = _nearest(seen, root)
    point = rung.saturates_at if rung else _point_under_fault(seen, root)
    faults: Counter[str] = Counter()
    for harm in case.harms:
        if harm.root and harm.root.fault:
            faults[harm.root.fault] += round(harm.arrivals)
    fault = max(sorted(faults), key=lambda name: faults[name], default=None)
    if (
        fault is not None
        and root.kind not in _GONE
        and (root.victim is None or slowdown(seen, root.victim, fault) < WORSE)
    ):
        fault = None
    evidence, agreeing, asked = _checks(seen, case, rung, nearest)
    if fault is not None:
        evidence += _fault_evidence(seen, root, fault)
        if nearest is None or root.kind in {"link", "component"}:
            votes = _fault_votes(seen, case, fault)
            agreeing, asked = agreeing + sum(votes), asked + len(votes)
    one = seen.series.get(nearest or "")
    prediction = (
        enlarged(seen, one, rungs)
        if one is not None and one.kind_id == root.subject and one.id in seen.demands
        else without_fault(fault, rungs, others=any(other.id != fault and other.applied_s for other in seen.faults))
    )
    return Bottleneck(
        resource=root.subject,
        kind=root.kind,
        title=_title(seen, root, point, fault),
        saturates_at=point,
        prediction=prediction,
        capacity_per_s=rung.capacity_per_s if rung else None,
        utilization=min(1.0, float(seen.series[nearest].utilization[case.seconds].max())) if nearest else None,
        confidence=_confidence(agreeing / max(asked, 1), case.arrivals),
        evidence=tuple(evidence),
        cause_chain=_chain(case, seen, fault),
        fault=fault,
        setting=one.sized_by if one and one.kind_id == root.subject else None,
        explains=case.arrivals / case.total if case.total else 0.0,
    )


def _confidence(agreement: float, arrivals: float) -> float:
    known = arrivals / (arrivals + FEW)
    return round(LEAST_CONFIDENCE + (MOST_CONFIDENCE - LEAST_CONFIDENCE) * agreement * known, 2)


def _nearest(seen: Observations, root: Root) -> str | None:
    """Return the instance that gives way first: of the root itself, or of the resource on which a link was felt."""
    if root.kind in {"link", "component"}:
        return root.victim
    shares = shares_by_instance(seen, root.subject)
    return min(shares, key=lambda resource: (shares[resource], resource), default=root.victim)


def _point_under_fault(seen: Observations, root: Root) -> SaturationPoint | None:
    """Return where the victim of a faulty link gives way, at the demand that it has under the fault."""
    if root.victim is None or root.fault is None or root.kind == "component":
        return None
    one = seen.series[root.victim]
    slowed_s = demand_in(seen, one.id, seen.active[root.fault])
    share = saturating_share(seen.plan, slowed_s, seen.demands[one.id].free_servers)
    return None if share is None else point_at(seen.plan, share)


def _title(seen: Observations, root: Root, point: SaturationPoint | None, fault: str | None) -> str:
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
    worse = f", made worse by {titles[fault]}" if fault in titles else ""
    if point is not None and point.share > 1 and root.kind != "limiter":
        return f"{root.subject} was full, although the load alone fills it only{at}{worse}"
    return f"{root.subject} runs out{at}{worse}"


def _chain(case: _Case, seen: Observations, fault: str | None) -> tuple[CauseStep, ...]:
    steps = [CauseStep(case.stream, "symptom", f"{case.arrivals:,.0f} arrivals failed or came late")]
    for held, following in pairwise((*case.root.held, case.root.subject)):
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


def _why_full(case: _Case, seen: Observations, fault: str | None) -> str:
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


def _checks(seen: Observations, case: _Case, rung: Rung | None, nearest: str | None) -> tuple[list[Evidence], int, int]:
    """Return the lines of evidence, how many checks agree with the finding, and how many could be made."""
    explained = case.arrivals / case.total if case.total else 0.0
    evidence = [
        Evidence(
            f"explains {case.arrivals:,.0f} of {case.total:,.0f} arrivals that failed or came late ({explained:.0%}), "
            f"in {_span(case.seconds)}",
            "client samples",
        )
    ]
    votes = [explained >= 0.5]
    if nearest is not None:
        one, demand = seen.series[nearest], seen.demands[nearest]
        full = np.flatnonzero(seen.saturated[nearest])
        usual = seen.mean_utilization(nearest, seen.plan.baseline_phase)
        full_then = [second for second in case.seconds if seen.saturated[nearest][second]]
        used = _mean_known(one, full_then or case.seconds)
        when = f"full in {len(full_then)} of those {len(case.seconds)} s, " if full_then else ""
        of = "while full" if full_then else "in those seconds"
        text = f"{nearest}: {when}mean utilization {of} {used:.2f} (mean of baseline {usual:.2f})"
        evidence.append(Evidence(text, "resource metrics"))
        votes.append(len(full) >= 2)
        if full.size:
            onset, first = int(full[0]), case.seconds[0]
            evidence.append(Evidence(f"full from t = {onset} s, harm from t = {first} s", "resource metrics"))
            votes.append(onset <= case.seconds[-1] and abs(onset - first) <= 5)
        votes.append(demand.residual <= 0.3)
        evidence += _refusals(seen, nearest)
    if rung is not None and nearest is not None:
        votes.append(rung.saturates_at.share <= 1)
        evidence += _capacity(seen, nearest, rung)
        idle = [s for s in seen.topology.all_suppliers(seen.series[nearest]) if s.servers.any()]
        votes += [not seen.saturated[supplier.id][case.seconds].mean() > 0.5 for supplier in idle]
        behind: dict[str, float] = {}
        for supplier in idle:
            used = _mean_known(supplier, case.seconds)
            behind[supplier.kind_id] = max(used, behind.get(supplier.kind_id, 0.0))
        text = ", ".join(f"{kind_id} {used:.2f}" for kind_id, used in sorted(behind.items()))
        evidence += [Evidence(f"mean utilization of what it waits for: {text}", "resource metrics")] if text else []
    return evidence, sum(votes), len(votes)


def _span(seconds: list[int]) -> str:
    """Say in which seconds, `seconds` ascending: `the 3 s from t = 5 to 8 s`, `3 of the 9 s from t = 5 to 14 s`."""
    length = seconds[-1] + 1 - seconds[0]
    some = f"{len(seconds)} of " if len(seconds) < length else ""
    return f"{some}the {length} s from t = {seconds[0]} to {seconds[-1] + 1} s"


def _mean_known(one: ResourceSeries, seconds: list[int]) -> float:
    known = one.utilization[seconds][one.known[seconds]]
    return float(known.mean()) if known.size else 0.0


def _refusals(seen: Observations, resource: str) -> list[Evidence]:
    kind_id = seen.series[resource].kind_id
    refused = sum(float(one.rejections.sum()) for one in seen.series.values() if one.kind_id == kind_id)
    return [Evidence(f"refused or dropped {refused:,.0f} times", "resource metrics")] if refused else []


def _capacity(seen: Observations, nearest: str, rung: Rung) -> list[Evidence]:
    demand, surge = seen.demands[nearest], rates_at(seen.plan, 1.0)
    asked = float(demand.total_s @ surge) / demand.free_servers if demand.free_servers else 0.0
    unit = "visit" if demand.visits.any() else "arrival"
    carried = format_number(rung.capacity_per_s or 0)
    lines = [
        Evidence(
            f"one {unit} holds it for {format_duration(rung.demand_s)}, so all instances carry {carried}/s; "
            f"the declared surge asks for {format_number(asked)} times what it has",
            "utilization law",
        )
    ]
    shares = shares_by_instance(seen, rung.resource)
    if len(shares) > 1 and max(shares.values()) > REGIONS_DIFFER * min(shares.values()):
        text = ", ".join(
            f"{resource} gives way at {describe_share(share)}" for resource, share in sorted(shares.items())
        )
        lines.append(Evidence(f"regions differ: {text}", "utilization law"))
    return lines


def _fault_votes(seen: Observations, case: _Case, fault: str) -> list[bool]:
    """Return whether the fault is proven to have worked, and whether most of the harm fell into its window."""
    result = next(result for result in seen.faults if result.id == fault)
    faults = [(harm, harm.root.fault) for harm in case.harms if harm.root is not None]
    inside = sum(harm.arrivals for harm, own in faults if own is not None and seen.active[own][harm.second])
    return [result.effective is True, inside >= 0.8 * case.arrivals]


def _fault_evidence(seen: Observations, root: Root, fault: str) -> list[Evidence]:
    """Return the receipt, and both capacities: undisturbed and under the fault."""
    result = next(result for result in seen.faults if result.id == fault)
    lines = [
        Evidence(
            f"{fault} on {receipt['place']}: requested: {receipt['requested']}; delivered: {receipt['delivered']}",
            "receipt",
        )
        for receipt in result.receipts[:2]
    ]
    if root.victim is None or root.kind in {"region", "generator"}:
        return lines
    during = np.flatnonzero(seen.active[fault])
    offered = max((seen.offered_utilization(root.victim, window) for window in during.tolist()), default=0.0)
    verdict = "would carry" if offered < 1 else "could not carry"
    roughly = ", by few readings" if seen.demands[root.victim].rough else ""
    times = slowdown(seen, root.victim, fault) if root.kind != "component" else 1.0
    longer = f"; the fault makes each visit {times:.2g} times as long" if times >= WORSE else ""
    lines.append(
        Evidence(
            f"undisturbed, {root.victim} {verdict} the load of that time (utilization {offered:.2f}{roughly}){longer}",
            "utilization law",
        )
    )
    return lines
