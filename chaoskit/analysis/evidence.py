"""What speaks for a finding: each fact with its number and source, and how many of the checks agree."""

from typing import Final

import numpy as np

from chaoskit.analysis.case import Case
from chaoskit.analysis.causes import Root
from chaoskit.analysis.ladder import rates_at, shares_by_instance
from chaoskit.analysis.observations import Observations
from chaoskit.analysis.prediction import WORSE, describe_share, slowdown
from chaoskit.analysis.result import Evidence, Rung
from chaoskit.analysis.windows import ResourceSeries
from chaoskit.units import format_duration, format_number

REGIONS_DIFFER: Final = 1.25
LEAST_DENIED: Final = 0.1
"""A process that was kept from running for less of its time than this shared a machine, and no more."""

MOVED: Final = 1.1
"""Servers came or went when there were this many times as many at one time as at another."""


def checks(seen: Observations, case: Case, rung: Rung | None, nearest: str | None) -> tuple[list[Evidence], int, int]:
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
        evidence += _moved(one, demand.servers)
        evidence += _refusals(seen, nearest)
    evidence += _denied(seen, case)
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


def _moved(one: ResourceSeries, counted: float) -> list[Evidence]:
    """Say when servers came or went within the run, and how many of them its capacity was reckoned with."""
    seconds = np.flatnonzero(one.known & (one.servers > 0))
    servers = one.servers[seconds]
    first = float(servers[0]) if servers.size else 0.0
    moved = np.maximum(servers, first) >= MOVED * np.minimum(servers, first)
    if not moved.any():
        return []
    most, least = format_number(servers.max()), format_number(servers.min())
    text = (
        f"its servers moved within the run: {format_number(first)} until t = {seconds[moved][0]} s, "
        f"then others ({least} at least, {most} at most); it is judged by the {format_number(counted)} when it counted"
    )
    return [Evidence(text, "resource metrics")]


def _refusals(seen: Observations, resource: str) -> list[Evidence]:
    kind_id = seen.series[resource].kind_id
    refused = sum(float(one.rejections.sum()) for one in seen.series.values() if one.kind_id == kind_id)
    return [Evidence(f"refused or dropped {refused:,.0f} times", "resource metrics")] if refused else []


def _denied(seen: Observations, case: Case) -> list[Evidence]:
    """Say how long a component whose processor ran out was kept from running, where the kernel told."""
    component = case.root.subject.partition("/")[2].rpartition(".")[0]
    ratios = {
        instance: waits.denied_ratio(case.seconds)
        for instance, waits in seen.cpu_waits.items()
        if case.root.kind == "cpu" and instance.partition("@")[0] == component
    }
    worst = max(ratios, key=lambda instance: (ratios[instance], instance), default=None)
    if worst is None or ratios[worst] < LEAST_DENIED:
        return []
    text = f"{worst} had no CPU for {ratios[worst]:.0%} of the time in which it was ready to run"
    return [Evidence(text, "process usage")]


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


def fault_votes(seen: Observations, case: Case, fault: str) -> list[bool]:
    """Return whether the fault is proven to have worked, and whether most of the harm fell into its window."""
    result = next(result for result in seen.faults if result.id == fault)
    faults = [(harm, harm.root.fault) for harm in case.harms if harm.root is not None]
    inside = sum(harm.arrivals for harm, own in faults if own is not None and seen.active[own][harm.second])
    return [result.effective is True, inside >= 0.8 * case.arrivals]


def fault_evidence(seen: Observations, root: Root, fault: str) -> list[Evidence]:
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
