"""From a plan and what its run recorded to the result; no I/O, no clock, the same records give the same result."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from chaoskit.analysis.blackbox import (
    client_side_finding,
    is_black_box,
    limit_from_outside,
    outside_rung,
    without_overload,
)
from chaoskit.analysis.causes import find_harm
from chaoskit.analysis.domain import domain_findings
from chaoskit.analysis.findings import SUBSTANTIAL, findings
from chaoskit.analysis.invariants import invariants
from chaoskit.analysis.ladder import ladder
from chaoskit.analysis.objectives import objective_results
from chaoskit.analysis.observations import observe
from chaoskit.analysis.recovery import recoveries
from chaoskit.analysis.result import MOSTLY, Bottleneck, Result
from chaoskit.analysis.score import SELF_CHECK
from chaoskit.analysis.validity import checks
from chaoskit.analysis.verdict import Judgement, expectation_met, judge
from chaoskit.plan.model import Plan
from chaoskit.records import History

VERSION: Final = 1
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def analyse(plan: Plan, history: History, provenance: Mapping[str, Any] = _NOTHING) -> Result:
    """Say what the run proves: verdict, bottlenecks, ladder, recovery, validity.

    Works on any history, an empty or an interrupted one too; what it lacks then shows in `validity`. `provenance` goes
    into the result, beside the analysis' own score (`self_check`).
    """
    seen = observe(plan, history)
    harms = find_harm(seen)
    limit = limit_from_outside(seen)
    if limit is not None and is_black_box(seen):
        harms = without_overload(seen, harms, limit)
    harmed, without_cause = (sum(h.arrivals for h in kept) for kept in (harms, [h for h in harms if h.root is None]))
    unexplained = without_cause / harmed if harmed else 0.0
    outside = client_side_finding(seen, limit) if limit is not None else None
    leads = outside is not None and is_black_box(seen) and unexplained > MOSTLY
    rungs = ladder(seen, outside_rung(outside) if outside is not None and leads else None)
    recovery = recoveries(seen)
    domain = domain_findings(plan, history)
    objectives = objective_results(plan, history, recovery, domain)
    all_held = bool(objectives) and all(objective.met is not False for objective in objectives)
    bottlenecks = findings(seen, harms, rungs, all_held=all_held)
    if outside is not None and (not bottlenecks or is_black_box(seen)):
        bottlenecks = _beside(bottlenecks, outside, unexplained)
    validity = checks(seen, [found.resource for found in bottlenecks if (found.explains or 0.0) >= SUBSTANTIAL])
    held = invariants(plan, history)
    met = expectation_met(plan.expected_bottleneck, bottlenecks)
    judgement = Judgement(
        objectives, (*validity, *held), bottlenecks, rungs, recovery, met, without_cause, unexplained, harmed
    )
    verdict, headline, reasons = judge(plan, history, judgement)
    return Result(
        version=VERSION,
        scenario=plan.scenario,
        title=plan.title,
        verdict=verdict,
        headline=headline,
        reasons=reasons,
        objectives=objectives,
        bottlenecks=bottlenecks,
        ladder=rungs,
        streams=seen.phases,
        faults=seen.faults,
        recovery=recovery,
        validity=validity,
        expected_bottleneck=plan.expected_bottleneck,
        expectation_met=met,
        invariants=held,
        provenance={"self_check": SELF_CHECK, **provenance},
        unexplained=unexplained,
        domain_findings=domain,
    )


def _beside(found: tuple[Bottleneck, ...], outside: Bottleneck, unexplained: float) -> tuple[Bottleneck, ...]:
    """Put what is seen from outside beside what was found: first where it stands for more harm than has a cause.

    While the load generator or its host is short, nothing is proven of the target, from outside either.
    """
    if any(bottleneck.kind in {"generator", "host"} for bottleneck in found):
        return found
    return (outside, *found) if unexplained > MOSTLY else (*found, outside)
