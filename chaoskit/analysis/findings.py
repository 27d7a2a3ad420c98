"""From harmed arrivals and their roots to ranked findings with evidence.

Rank: the load generator and the host that it runs on first where they explain a substantial part of the harm (nothing
else is proven while they are short), then by the number of harmed arrivals that a root explains. While every objective
holds, harm that hardly any arrival of its phase shared in is no finding. Confidence: 0.4 + 0.55 x (checks that agree /
checks that apply) x n / (n + 10) for n arrivals; the checks are those of `evidence.py`, nearly each of which is also a
line of evidence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from chaoskit.analysis.case import Case
from chaoskit.analysis.causes import HARMED_RATIO, Harm, Root
from chaoskit.analysis.chain import cause_chain, title
from chaoskit.analysis.evidence import checks, fault_evidence, fault_votes
from chaoskit.analysis.ladder import point_at, saturating_share, shares_by_instance
from chaoskit.analysis.observations import Observations, demand_in
from chaoskit.analysis.prediction import WORSE, enlarged, slowdown, without_fault
from chaoskit.analysis.result import Bottleneck, Rung, SaturationPoint

MINOR_RATIO: Final = 0.02
MINOR_ARRIVALS: Final = 5
"""Roots that explain fewer arrivals, or a smaller share of the harm, are noise and not listed."""

SUBSTANTIAL: Final = 0.25
"""A generator or host that explains less of the harm than this neither leads nor voids the run."""

MATTERS: Final = HARMED_RATIO
"""While every objective holds, a root must have harmed this part of a stream's arrivals in a phase to be a finding."""

FEW: Final = 10.0
"""With this many arrivals a finding is half as sure as with very many."""

HELD_UP_S: Final = 3
"""Harm this near to that of another finding needs no cause of its own (a call that began then may live so long)."""

_GONE: Final = frozenset({"link", "region", "component", "generator"})
"""Kinds of roots on which a fault acts by itself, rather than by making visits to a full resource longer."""


LEAST_CONFIDENCE: Final = 0.4
MOST_CONFIDENCE: Final = 0.95


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
            cases.append(Case(_commonest(explained), tuple(explained), arrivals, total))
    cases.sort(key=lambda case: (not _voids(case), -case.arrivals, case.root.subject))
    shares = {rung.resource: rung.saturates_at.share for rung in rungs}
    proven = [case for case in cases if not _roomy(case, shares)]
    near = {second + away for case in proven for second in case.seconds for away in range(-HELD_UP_S, HELD_UP_S + 1)}
    kept = [case for case in cases if case in proven or _outside(case, near) >= case.arrivals / 2]
    return tuple(_bottleneck(seen, case, rungs) for case in kept)


def _voids(case: Case) -> bool:
    return case.root.kind in {"generator", "host"} and case.arrivals >= SUBSTANTIAL * case.total


def _worst_share(seen: Observations, harms: Sequence[Harm]) -> float:
    """Return the largest share of a stream's arrivals in a phase that `harms` make up."""
    shares = [0.0]
    for phase in seen.plan.phases:
        for name in seen.names:
            own = [h.arrivals for h in harms if h.stream == name and phase.start_s <= h.second < phase.end_s]
            shares.append(sum(own) / max(1, seen.phases[name][phase.name].offered))
    return max(shares)


def _roomy(case: Case, shares: Mapping[str, float]) -> bool:
    """Return whether the subject has room for the whole surge: it was full only because something held it up."""
    held_up = case.root.kind in {"pool", "server", "cpu"} and not case.root.starved
    return held_up and shares.get(case.root.subject, 0.0) > 1


def _outside(case: Case, near: set[int]) -> float:
    """Return how many arrivals of the case were harmed in seconds that no other finding explains."""
    return sum(harm.arrivals for harm in case.harms if harm.second not in near)


def _commonest(harms: Sequence[Harm]) -> Root:
    weights: Counter[Root] = Counter()
    for harm in harms:
        if harm.root is not None:
            weights[harm.root] += round(harm.arrivals)
    return max(weights, key=lambda root: (weights[root], repr(root)))


def _bottleneck(seen: Observations, case: Case, rungs: Sequence[Rung]) -> Bottleneck:
    root = case.root
    # Who is kept from a processor ran out of what it was given, which is not what the processor has.
    rung = None if root.starved else next((rung for rung in rungs if rung.resource == root.subject), None)
    nearest = None if root.starved else _nearest(seen, root)
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
    evidence, agreeing, asked = checks(seen, case, rung, nearest)
    if fault is not None:
        evidence += fault_evidence(seen, root, fault)
        if nearest is None or root.kind in {"link", "component"}:
            votes = fault_votes(seen, case, fault)
            agreeing, asked = agreeing + sum(votes), asked + len(votes)
    one = seen.series.get(nearest or "")
    prediction = (
        enlarged(seen, one, rungs)
        if one is not None and one.kind_id == root.subject and one.id in seen.demands
        else without_fault(fault, rungs, others=any(other.id != fault and other.applied_s for other in seen.faults))
    )
    if root.starved:
        prediction = (
            "More of the same processor does not help: find the limit, or the programs, that keep it from running."
        )
    return Bottleneck(
        resource=root.subject,
        kind=root.kind,
        title=title(seen, root, point, fault),
        saturates_at=point,
        prediction=prediction,
        capacity_per_s=rung.capacity_per_s if rung else None,
        utilization=min(1.0, float(seen.series[nearest].utilization[case.seconds].max())) if nearest else None,
        confidence=_confidence(agreeing / max(asked, 1), case.arrivals),
        evidence=tuple(evidence),
        cause_chain=cause_chain(case, seen, fault),
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
