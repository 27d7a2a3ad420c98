from collections.abc import Callable
from dataclasses import replace

import pytest

from chaoskit.analysis import analyse, encode
from chaoskit.analysis.result import Verdict
from chaoskit.analysis.score import RIGHT, SELF_CHECK, TRIALS
from chaoskit.plan.model import Objective
from chaoskit.records import History, RunEvent
from tests.support.planted import KINDS, planted_days
from tests.support.simulation import AMPLE, Day, simulate

LEAST_SCORE = 0.9
SHORT = replace(AMPLE, baseline_s=6.0, surge_s=6.0, recovery_s=3.0)
SERVED = Objective("errors < 50%", None, "errors", None, "<", 0.5, None)


def test_planted_bottlenecks_are_named_blind(record_property: Callable[[str, object], None]) -> None:
    assert len(KINDS) == 11, "the sentence of the score counts the kinds"
    wrong = []
    for planted in planted_days(TRIALS, seed=20251010):
        found = analyse(*simulate(planted.day)).bottlenecks
        named = found[0].resource if found else None
        if named != planted.resource:
            wrong.append(f"{planted.kind}: {named} instead of {planted.resource}")
    right = TRIALS - len(wrong)
    record_property("top-1 score", right / TRIALS)
    assert right / TRIALS >= LEAST_SCORE, wrong
    assert right == RIGHT, f"the score that reports tell is no longer true: set RIGHT to {right} ({wrong})"


def test_the_same_records_give_the_same_bytes() -> None:
    plan, history = simulate(Day())
    _, again = simulate(Day())
    assert encode(analyse(plan, history, {"commit": "abc"})) == encode(analyse(plan, again, {"commit": "abc"}))


def test_an_empty_history_is_inconclusive_and_says_why() -> None:
    plan, _ = simulate(SHORT)
    result = analyse(plan, History())
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reasons[0].startswith("The target was not up: no load was played")
    assert (result.bottlenecks, result.ladder, result.recovery[0].came_back) == ((), (), None)


def test_a_run_that_was_cut_short_is_analysed_up_to_there() -> None:
    plan, history = simulate(replace(Day(), region_lost=None))
    kept = History.of(r for r in history.samples if r.second < 16)
    kept.completions = [record for record in history.completions if record.second < 16]
    kept.resources = [record for record in history.resources if record.t_s < 16]
    kept.faults = [record for record in history.faults if record.t_s < 16]
    kept.add(RunEvent(16.0, "abort", "abort rule 'errors > 95%' held for 5 s"))
    result = analyse(plan, kept)
    assert result.verdict is Verdict.ABORTED
    assert result.headline.startswith("Aborted: The run was aborted at t = 16.0 s")
    assert result.bottlenecks[0].resource == "exchange/gateway.db_pool"


def test_a_plan_without_baseline_or_surge_is_analysed_too() -> None:
    plan, history = simulate(SHORT)
    result = analyse(replace(plan, baseline_phase=None, surge_phase=None, objectives=(SERVED,)), history)
    assert result.verdict is Verdict.PASS


@pytest.mark.parametrize(("expected", "met"), [("none", True), ("exchange/gateway.db_pool", False), (None, None)])
def test_what_the_scenario_expects_is_checked(expected: str | None, met: bool | None) -> None:
    plan, history = simulate(SHORT)
    result = analyse(replace(plan, objectives=(SERVED,), expected_bottleneck=expected), history)
    assert result.expectation_met is met
    assert result.verdict is (Verdict.FAIL if met is False else Verdict.PASS)


def test_provenance_goes_through_untouched_beside_the_score() -> None:
    plan, history = simulate(SHORT)
    given = {"commit": "abc", "dirty": True}
    assert analyse(plan, history, given).provenance == {**given, "self_check": SELF_CHECK}
