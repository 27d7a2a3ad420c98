"""The verdict, its reasons and the headline.

Order: aborted, inconclusive, fail, pass. A run is inconclusive when a validity check fails, an objective could not be
told, or nothing was asked of it at all; an objective that failed in such a run is named all the same. An `expect` that
is not met fails the run, and so does a stream that never came back although the load did (metastable), whether an
objective asks for it or not.

One objective that is proven to be missed is enough to fail, so two kinds of doubt do not touch it: that another
objective could not be told, and that a fault was not proven to work which came after the phase of the missed one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from chaoskit.analysis.prediction import describe_load
from chaoskit.analysis.result import Bottleneck, Check, ObjectiveResult, Recovery, Rung, Verdict, leading
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.units import format_duration, format_number

_HEAVIEST_FIRST: Final = (
    "target",
    "records",
    "gate",
    "baseline",
    "components",
    "load",
    "generator",
    "host",
    "fault",
)
"""Checks by the first word of their name: how much of the run a broken one puts in doubt."""

_FAULT: Final = "fault "
_PERCENTILE: Final = "percentile of "


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verdict rests on; `validity` holds the invariants too.

    `without_cause` counts harmed arrivals that no root explains, `unexplained` is their share of all `harmed` ones.
    """

    objectives: Sequence[ObjectiveResult]
    validity: Sequence[Check]
    bottlenecks: Sequence[Bottleneck]
    ladder: Sequence[Rung]
    recovery: Sequence[Recovery]
    expectation_met: bool | None
    without_cause: float
    unexplained: float = 0.0
    harmed: float = 0.0

    @property
    def lead(self) -> Bottleneck | None:
        """The finding that the headline may name."""
        return leading(self.bottlenecks, self.unexplained)


def expectation_met(expected: str | None, bottlenecks: Sequence[Bottleneck]) -> bool | None:
    """Return whether the first finding is the expected one; None where nothing is expected.

    `none` expects no bottleneck. The target's name may be left out: `gateway.db_pool` means `exchange/gateway.db_pool`.
    """
    if expected is None:
        return None
    if expected.lower() == "none":
        return not bottlenecks
    if not bottlenecks:
        return False
    found = bottlenecks[0].resource
    return expected in {found, found.rpartition("/")[2], found.partition(":")[2]}


def judge(plan: Plan, history: History, judgement: Judgement) -> tuple[Verdict, str, tuple[str, ...]]:
    """Return the verdict, the headline and every reason, as sentences."""
    aborts = [f"The run was aborted at t = {e.t_s:.1f} s: {e.detail}." for e in history.events if e.event == "abort"]
    cut = any(event.event in {"gate", "abort", "setup_failed"} for event in history.events)
    broken = sorted((check for check in judgement.validity if not check.ok), key=_weight)
    untold = [] if cut else list(_untold(judgement, broken))
    if not judgement.objectives and plan.expected_bottleneck is None:
        untold.append("The scenario states no objective, so nothing can pass; add `objectives:`.")
    missed = [objective for objective in judgement.objectives if objective.met is False]
    failures = [_missed(objective) for objective in missed]
    if not cut:
        failures += [*_not_as_expected(plan, judgement), *_never_back(judgement)]
    doubts = [*(check.statement for check in broken), *untold]
    proven = _proven(plan, history, missed, broken)
    if aborts:
        verdict = Verdict.ABORTED
    elif doubts and not proven:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.FAIL if failures else Verdict.PASS
    reasons = [*aborts, *doubts, *failures, *([] if cut else _remarks(judgement))]
    if verdict is Verdict.FAIL and doubts:
        stands = f"{' and '.join(proven)} {'was' if len(proven) == 1 else 'were'} missed whatever is in doubt here:"
        reasons = [*failures, f"{stands} {doubts[0]}", *doubts[1:], *_remarks(judgement)]
    if verdict is Verdict.PASS:
        reasons.insert(0, "Every objective was met, and the run is fit to prove it.")
    return verdict, _headline(verdict, judgement, (*aborts, *doubts), failures), tuple(reasons)


def _weight(check: Check) -> int:
    first = check.name.partition(" ")[0]
    return _HEAVIEST_FIRST.index(first) if first in _HEAVIEST_FIRST else len(_HEAVIEST_FIRST)


def _untold(judgement: Judgement, broken: Sequence[Check]) -> Iterator[str]:
    if any(check.name == "target" for check in broken):
        return  # where no load was played, that says it of every objective
    for objective in judgement.objectives:
        if objective.met is None and not any(f"'{objective.text}'" in check.statement for check in broken):
            yield f"'{objective.text}' could not be told: {objective.reason}."


def _proven(
    plan: Plan, history: History, missed: Sequence[ObjectiveResult], broken: Sequence[Check]
) -> tuple[str, ...]:
    """Return the objectives that were missed for certain: what is `broken` speaks of others, or of a later fault."""
    if any(not check.name.startswith((_FAULT, _PERCENTILE)) for check in broken):
        return ()
    doubted = {check.name.removeprefix(_FAULT) for check in broken if check.name.startswith(_FAULT)}
    applied_s = {event.fault: event.t_s for event in history.faults if event.step == "applied"}
    since_s = min((applied_s.get(f.id, f.start_s) for f in plan.faults if f.id in doubted), default=math.inf)
    ends_s = {
        objective.text: plan.phase(objective.phase).end_s if objective.phase is not None else plan.duration_s
        for objective in plan.objectives
    }
    return tuple(f"'{one.text}'" for one in missed if ends_s.get(one.text, plan.duration_s) <= since_s)


def _not_as_expected(plan: Plan, judgement: Judgement) -> Iterator[str]:
    if judgement.expectation_met is False:
        found = judgement.bottlenecks[0].resource if judgement.bottlenecks else "none"
        yield f"The bottleneck was expected to be {plan.expected_bottleneck}; found: {found}."


def _never_back(judgement: Judgement) -> Iterator[str]:
    """Yield a sentence for each stream that is lost, unless a missed objective names it already."""
    missed = [objective.reason for objective in judgement.objectives if objective.met is False]
    after: dict[str, list[str]] = {}
    for one in judgement.recovery:
        if one.came_back is False and not any(reason.startswith(f"{one.stream} never") for reason in missed):
            after.setdefault(one.stream, []).append(one.trigger)
    for stream, triggers in after.items():
        yield f"{stream} never came back after {' and '.join(triggers)}, although the load is back at baseline."


def _missed(objective: ObjectiveResult) -> str:
    if objective.measured is None:
        return f"'{objective.text}' was missed: {objective.reason}."
    if objective.unit == "ratio":
        measured = f"{objective.measured:.1%}"
    elif objective.unit == "s":
        measured = format_duration(objective.measured)
    else:
        space = "" if objective.unit in {"/s", "x"} else " "
        measured = f"{format_number(objective.measured)}{space}{objective.unit}".rstrip()
    return f"'{objective.text}' was missed: {measured} ({objective.reason})."


def _remarks(judgement: Judgement) -> list[str]:
    remarks = [check.statement for check in judgement.validity if check.name == "load workers" and check.ok]
    if judgement.bottlenecks and judgement.lead is None:
        remarks.append(_unexplained(judgement))
    if not judgement.bottlenecks:
        if judgement.without_cause:
            remarks.append(
                f"No cause found: {judgement.without_cause:,.0f} arrivals failed or came late, and nothing that was "
                "measured explains it."
            )
        elif judgement.ladder:
            first = judgement.ladder[0]
            few = (
                f" {judgement.harmed:,.0f} arrivals failed or came late, too few to matter." if judgement.harmed else ""
            )
            remarks.append(
                f"No bottleneck: nothing gave way.{few} {first.resource} would be first, "
                f"at {describe_load(first.saturates_at)}."
            )
    return remarks


def _unexplained(judgement: Judgement) -> str:
    first = judgement.bottlenecks[0]
    return (
        f"No cause found for {judgement.unexplained:.0%} of the arrivals that failed or came late; "
        f"{first.resource} explains {first.explains or 0:.0%}."
    )


def _headline(verdict: Verdict, judgement: Judgement, doubts: Sequence[str], failures: Sequence[str]) -> str:
    found = judgement.lead.title if judgement.lead else None
    if verdict is Verdict.ABORTED:
        return f"Aborted: {doubts[0]}" + (f" {found}." if found else "")
    if verdict is Verdict.INCONCLUSIVE:
        missed = any(objective.met is False for objective in judgement.objectives)
        return f"Inconclusive: {doubts[0]}" + (f" So it is not proven that {failures[0]}" if missed else "")
    if verdict is Verdict.FAIL:
        unexplained = f" {_unexplained(judgement)}" if judgement.bottlenecks else ""
        return f"Fail: {found}." if found else f"Fail: {failures[0]}{unexplained}"
    if found:
        return f"Pass: every objective was met, although {found[0].lower()}{found[1:]}."
    if judgement.ladder:
        first = judgement.ladder[0]
        limit = describe_load(first.saturates_at)
        return f"Pass: the surge was carried; {first.resource} would give way first, at {limit}."
    return "Pass: every objective was met."
