"""The verdict, its reasons and the headline.

Order: aborted, inconclusive, fail, pass. A run is inconclusive when a validity check fails, an objective could not be
told, or nothing was asked of it at all; an objective that failed in such a run is named all the same. An `expect` that
is not met fails the run, and so does a stream that never came back although the load did (metastable), whether an
objective asks for it or not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaoskit.analysis.prediction import describe_load
from chaoskit.analysis.result import Bottleneck, Check, ObjectiveResult, Recovery, Rung, Verdict
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.units import format_duration, format_number


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verdict rests on; `validity` holds the invariants too.

    `without_cause` counts harmed arrivals that no root explains.
    """

    objectives: Sequence[ObjectiveResult]
    validity: Sequence[Check]
    bottlenecks: Sequence[Bottleneck]
    ladder: Sequence[Rung]
    recovery: Sequence[Recovery]
    expectation_met: bool | None
    without_cause: float


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
    doubts = [check.statement for check in judgement.validity if not check.ok]
    cut = any(event.event in {"gate", "abort", "setup_failed"} for event in history.events)
    untold = [] if cut else [objective for objective in judgement.objectives if objective.met is None]
    doubts += [
        f"'{objective.text}' could not be told: {objective.reason}."
        for objective in untold
        if not any(f"'{objective.text}'" in doubt for doubt in doubts)
    ]
    if not judgement.objectives and plan.expected_bottleneck is None:
        doubts.append("The scenario states no objective, so nothing can pass; add `objectives:`.")
    failures = [_missed(objective) for objective in judgement.objectives if objective.met is False]
    if not cut:
        failures += [*_not_as_expected(plan, judgement), *_never_back(judgement)]
    if aborts:
        verdict = Verdict.ABORTED
    elif doubts:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.FAIL if failures else Verdict.PASS
    reasons = [*aborts, *doubts, *failures, *([] if cut else _remarks(judgement))]
    if verdict is Verdict.PASS:
        reasons.insert(0, "Every objective was met, and the run is fit to prove it.")
    return verdict, _headline(verdict, judgement, [*aborts, *doubts, *failures]), tuple(reasons)


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
        measured = f"{format_number(objective.measured)}{objective.unit}"
    return f"'{objective.text}' was missed: {measured} ({objective.reason})."


def _remarks(judgement: Judgement) -> list[str]:
    remarks = []
    if not judgement.bottlenecks:
        if judgement.without_cause:
            remarks.append(
                f"No cause found: {judgement.without_cause:,.0f} arrivals failed or came late while nothing that was "
                "measured was full and no fault was in force."
            )
        elif judgement.ladder:
            first = judgement.ladder[0]
            remarks.append(
                f"No bottleneck: nothing gave way. {first.resource} would be first, "
                f"at {describe_load(first.saturates_at)}."
            )
    return remarks


def _headline(verdict: Verdict, judgement: Judgement, grounds: Sequence[str]) -> str:
    found = judgement.bottlenecks[0].title if judgement.bottlenecks else None
    if verdict is Verdict.ABORTED:
        return f"Aborted: {grounds[0]}" + (f" {found}." if found else "")
    if verdict is Verdict.INCONCLUSIVE:
        missed = any(objective.met is False for objective in judgement.objectives)
        return f"Inconclusive: {grounds[0]}" + (" An objective was missed as well." if missed else "")
    if verdict is Verdict.FAIL:
        return f"Fail: {found}." if found else f"Fail: {grounds[0]}"
    if found:
        return f"Pass: every objective was met, although {found[0].lower()}{found[1:]}."
    if judgement.ladder:
        first = judgement.ladder[0]
        limit = describe_load(first.saturates_at)
        return f"Pass: the surge was carried; {first.resource} would give way first, at {limit}."
    return "Pass: every objective was met."
