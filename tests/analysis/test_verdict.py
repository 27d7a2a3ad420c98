from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.result import Bottleneck, Check, ObjectiveResult, Recovery, Verdict
from chaoskit.analysis.verdict import Judgement, expectation_met, judge
from chaoskit.plan.model import Objective
from chaoskit.records import History, RunEvent
from chaoskit.scenario.references import OTHER_SUSPECTS
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

PLAN = plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)})
SOUND = Judgement((), (Check("gate", True, "It opened."),), (), (), (), None, 0.0)
MET = ObjectiveResult("errors < 1%", True, 0.0, 0.01, "ratio", "0 of 100 arrivals failed")
MISSED = ObjectiveResult("errors < 1%", False, 0.12, 0.01, "ratio", "12 of 100 arrivals failed")
UNTOLD = ObjectiveResult("p99 < 1s", None, None, 1.0, "s", "no samples")
DOUBT = Check("generator lag", False, "The load generator was late.")
ABORT = History(events=[RunEvent(7.0, "abort", "stopped by hand")])
LOST = Recovery("trading", "end of surge", 30.0, None, None, False, 0.0, 1.0)
POOL = Bottleneck("exchange/gateway.db_pool", "pool", "The pool runs out", None, "", None, None, 0.9, (), ())


@pytest.mark.parametrize(
    ("judgement", "history", "verdict"),
    [
        pytest.param(replace(SOUND, objectives=(MET,)), History(), Verdict.PASS, id="proven"),
        pytest.param(replace(SOUND, objectives=(MET, MISSED)), History(), Verdict.FAIL, id="missed"),
        pytest.param(SOUND, History(), Verdict.INCONCLUSIVE, id="nothing was asked"),
        pytest.param(
            replace(SOUND, objectives=(MET,), expectation_met=False), History(), Verdict.FAIL, id="another bottleneck"
        ),
        pytest.param(
            replace(SOUND, objectives=(MET,), recovery=(LOST,)), History(), Verdict.FAIL, id="never came back"
        ),
        pytest.param(replace(SOUND, objectives=(UNTOLD,)), History(), Verdict.INCONCLUSIVE, id="not told"),
        pytest.param(
            replace(SOUND, objectives=(MISSED,), validity=(DOUBT,)),
            History(),
            Verdict.INCONCLUSIVE,
            id="missed in doubt",
        ),
        pytest.param(replace(SOUND, validity=(DOUBT,)), ABORT, Verdict.ABORTED, id="aborted goes before all"),
    ],
)
def test_the_order_of_verdicts(judgement: Judgement, history: History, verdict: Verdict) -> None:
    assert judge(PLAN, history, judgement)[0] is verdict


def test_an_objective_missed_in_a_doubtful_run_is_named_all_the_same() -> None:
    _, headline, reasons = judge(PLAN, History(), replace(SOUND, objectives=(MISSED,), validity=(DOUBT,)))
    assert headline == (
        "Inconclusive: The load generator was late. "
        "So it is not proven that 'errors < 1%' was missed: 12.0% (12 of 100 arrivals failed)."
    )
    assert reasons[:2] == (
        "The load generator was late.",
        "'errors < 1%' was missed: 12.0% (12 of 100 arrivals failed).",
    )


def test_one_missed_objective_fails_the_run_whatever_could_not_be_told() -> None:
    few = Check("percentile of 'p99 < 1s'", False, "'p99 < 1s' rests on 12 arrivals, which is too few.")
    judgement = replace(SOUND, objectives=(MISSED, UNTOLD), validity=(few,))
    verdict, _, reasons = judge(PLAN, History(), judgement)
    assert verdict is Verdict.FAIL
    assert reasons[1] == f"'errors < 1%' was missed whatever is in doubt here: {few.statement}"


@pytest.mark.parametrize(
    ("phase", "verdict"),
    [("surge", Verdict.FAIL), ("recovery", Verdict.INCONCLUSIVE), (None, Verdict.INCONCLUSIVE)],
)
def test_a_fault_that_proved_nothing_spoils_only_what_it_could_touch(phase: str | None, verdict: Verdict) -> None:
    day = replace(AMPLE, latency=(32.0, 34.0, 0.1))
    asked = Objective(MISSED.text, None, "errors", None, "<", 0.01, phase)
    plan = replace(plan_of(day, {"trading": np.zeros(0), "positions": np.zeros(0)}), objectives=(asked,))
    unproven = Check("fault latency-1", False, "Fault latency-1 could not be measured on its link.")
    judgement = replace(SOUND, objectives=(MISSED,), validity=(unproven,))
    assert judge(plan, History(), judgement)[0] is verdict


def test_the_heaviest_doubt_is_told_first() -> None:
    silent = Check("samples of trading", False, "Stream trading has no samples in recovery.")
    gate = Check("gate", False, "The gate stayed shut.")
    _, headline, reasons = judge(PLAN, History(), replace(SOUND, objectives=(MET,), validity=(silent, DOUBT, gate)))
    assert headline == "Inconclusive: The gate stayed shut."
    assert reasons == (gate.statement, DOUBT.statement, silent.statement)


def test_a_finding_that_explains_little_does_not_lead() -> None:
    little = replace(POOL, explains=0.04)
    judgement = replace(SOUND, objectives=(MISSED,), bottlenecks=(little,), without_cause=96.0, unexplained=0.96)
    _, headline, _ = judge(PLAN, History(), judgement)
    assert headline.startswith("Fail: 'errors < 1%' was missed")
    assert headline.endswith(
        "No cause found for 96% of the arrivals that failed or came late; exchange/gateway.db_pool explains 4%."
    )


def test_the_headline_of_a_failure_is_the_bottleneck() -> None:
    _, headline, _ = judge(PLAN, History(), replace(SOUND, objectives=(MISSED,), bottlenecks=(POOL,)))
    assert headline == "Fail: The pool runs out."


def test_no_cause_found_is_an_answer() -> None:
    _, _, reasons = judge(PLAN, History(), replace(SOUND, objectives=(MISSED,), without_cause=12.0))
    assert reasons[-1].startswith("No cause found: 12 arrivals failed or came late")


def test_never_coming_back_is_a_failure_of_its_own() -> None:
    judgement = replace(SOUND, objectives=(MET,), recovery=(LOST, replace(LOST, trigger="latency-1")))
    verdict, headline, reasons = judge(PLAN, History(), judgement)
    sentence = "trading never came back after end of surge and latency-1, although the load is back at baseline."
    assert verdict is Verdict.FAIL
    assert headline == f"Fail: {sentence}"
    assert reasons == (sentence,)


def test_never_coming_back_is_told_once_where_an_objective_says_it() -> None:
    missed = ObjectiveResult("recovery < 10s", False, None, 10.0, "s", "trading never came back after end of surge")
    _, _, reasons = judge(PLAN, History(), replace(SOUND, objectives=(missed,), recovery=(LOST,)))
    assert reasons == ("'recovery < 10s' was missed: trading never came back after end of surge.",)


def test_what_was_cut_short_had_no_time_to_come_back() -> None:
    verdict, _, reasons = judge(PLAN, ABORT, replace(SOUND, objectives=(MET,), recovery=(LOST,)))
    assert verdict is Verdict.ABORTED
    assert not any("never came back" in reason for reason in reasons)


def test_a_run_of_which_nothing_was_asked_says_what_to_add() -> None:
    _, headline, _ = judge(PLAN, History(), SOUND)
    assert headline == "Inconclusive: The scenario states no objective, so nothing can pass; add `objectives:`."


def test_an_expected_bottleneck_is_something_asked() -> None:
    plan = replace(PLAN, expected_bottleneck="none")
    assert judge(plan, History(), replace(SOUND, expectation_met=True))[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        (None, None),
        ("exchange/gateway.db_pool", True),
        ("gateway.db_pool", True),
        ("exchange/gateway.workers", False),
        ("none", False),
    ],
)
def test_expectations(expected: str | None, met: bool | None) -> None:
    assert expectation_met(expected, (POOL,)) is met


@pytest.mark.parametrize("suspect", OTHER_SUSPECTS)
def test_every_suspect_that_a_scenario_may_name_is_one_that_can_be_found(suspect: str) -> None:
    found = () if suspect == "none" else (replace(POOL, resource=suspect),)
    assert expectation_met(suspect, found) is True


def test_expecting_something_where_nothing_was_found() -> None:
    assert expectation_met("gateway.db_pool", ()) is False
    assert expectation_met("none", ()) is True
