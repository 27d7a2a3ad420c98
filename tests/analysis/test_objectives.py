from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.objectives import objective_results
from chaoskit.analysis.result import ObjectiveResult, Recovery
from chaoskit.metric import Metric
from chaoskit.plan.model import Objective
from chaoskit.records import Histogram, History, SampleBatch
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

PLAN = plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)})


def batch(stream: str, second: int, ok_us: list[int], failed: int = 0) -> SampleBatch:
    times, none = Histogram.of_us(ok_us), Histogram()
    reasons = {"timeout": failed} if failed else {}
    return SampleBatch(stream, "e", second, 0, len(ok_us), reasons, 0, times, times, none)


def judged(objective: Objective, *batches: SampleBatch, recovery: tuple[Recovery, ...] = ()) -> ObjectiveResult:
    plan = replace(PLAN, objectives=(objective,))
    return objective_results(plan, History.of(batches), recovery)[0]


def objective(metric: Metric, bound: float, *, quantile: float | None = None, stream: str | None = None) -> Objective:
    return Objective("text", stream, metric, quantile, "<", bound, None if metric == "recovery" else "baseline")


@pytest.mark.parametrize(("bound_s", "met"), [(0.02, True), (0.005, False)])
def test_a_quantile_is_held_against_its_bound(bound_s: float, met: bool) -> None:
    result = judged(objective("quantile", bound_s, quantile=0.99), batch("trading", 1, [10_000] * 400))
    assert result.met is met
    assert result.measured == pytest.approx(0.01, rel=0.01)


def test_too_few_samples_cannot_tell_a_quantile() -> None:
    result = judged(objective("quantile", 1.0, quantile=0.99), batch("trading", 1, [10_000] * 200))
    assert result.met is None
    assert "cannot carry" in result.reason


@pytest.mark.parametrize("metric", ["quantile", "service_quantile"])
def test_arrivals_that_failed_are_infinitely_late(metric: Metric) -> None:
    result = judged(objective(metric, 1.0, quantile=0.99), batch("trading", 1, [10_000] * 2000, failed=50_000))
    assert (result.met, result.measured) == (False, None)
    assert result.reason == "50,000 of 52,000 arrivals failed, more than 1% of all"


def test_failures_beyond_the_percentile_do_not_move_it() -> None:
    result = judged(objective("quantile", 0.02, quantile=0.99), batch("trading", 1, [10_000] * 991, failed=9))
    assert result.met is True
    assert result.reason == "over 1,000 arrivals, the 9 that failed counted as never answered"


def test_amplification_is_attempts_by_arrivals_and_failed_ones_count() -> None:
    retried = replace(batch("trading", 1, [1] * 90, failed=10), attempts=160)
    result = judged(objective("amplification", 1.5, stream="trading"), retried, batch("positions", 1, [1] * 50))
    assert (result.met, result.measured, result.unit) == (False, 1.6, "x")
    assert result.reason == "160 attempts for 100 arrivals"


def test_errors_are_a_share_of_arrivals_of_that_phase_and_stream() -> None:
    batches = (batch("trading", 1, [1] * 90, failed=10), batch("positions", 1, [], 50), batch("trading", 15, [], 99))
    result = judged(objective("errors", 0.2, stream="trading"), *batches)
    assert result.met is True
    assert result.measured == pytest.approx(0.1)
    assert judged(objective("errors", 0.2), *batches).measured == pytest.approx(60 / 150)


def test_a_rate_counts_what_was_served() -> None:
    assert judged(objective("rate", 11), batch("trading", 1, [1] * 100)).measured == pytest.approx(10)


def test_an_objective_without_samples_is_not_met_by_silence() -> None:
    assert judged(objective("errors", 0.01)).met is None


def came_back(after_s: float | None, *, back: bool | None) -> Recovery:
    return Recovery("trading", "latency-1", 10.0, after_s, after_s, back, 0.0, 1.0)


def unsettled(for_s: float) -> Recovery:
    reason = f"did not settle in the {for_s:g}s that were left to it"
    return Recovery("trading", "latency-1", 10.0, None, None, None, 0.0, 1.0, reason, for_s)


EXCUSED = replace(came_back(None, back=None), trigger="latency-2", reason="was not good before it either")


@pytest.mark.parametrize(
    ("recovery", "met", "measured"),
    [
        pytest.param((came_back(2, back=True), came_back(4, back=True)), True, 4.0, id="the slowest counts"),
        pytest.param((came_back(12, back=True),), False, 12.0, id="too slow"),
        pytest.param((came_back(2, back=True), came_back(None, back=False)), False, None, id="never"),
        pytest.param((came_back(2, back=True), EXCUSED), True, 2.0, id="nothing to recover from is left out"),
        pytest.param((EXCUSED,), None, None, id="nothing else"),
        pytest.param((came_back(2, back=True), unsettled(4)), None, None, id="too little was seen"),
        pytest.param((came_back(2, back=True), unsettled(11)), False, 11.0, id="already too slow"),
    ],
)
def test_recovery(recovery: tuple[Recovery, ...], met: bool | None, measured: float | None) -> None:
    result = judged(objective("recovery", 10), recovery=recovery)
    assert (result.met, result.measured) == (met, measured)


@pytest.mark.parametrize(
    ("recovery", "reason"),
    [
        (
            (came_back(2, back=True), EXCUSED),
            "slowest: trading after latency-1; measured on 1 of 2: trading was not good before it either (latency-2)",
        ),
        ((unsettled(4),), "trading did not settle in the 4s that were left to it (latency-1)"),
        (
            (EXCUSED,),
            "nothing to recover from was observed to its end: trading was not good before it either (latency-2)",
        ),
        ((), "nothing to recover from was observed to its end"),
    ],
)
def test_what_a_recovery_rests_on_is_said(recovery: tuple[Recovery, ...], reason: str) -> None:
    assert judged(objective("recovery", 10), recovery=recovery).reason == reason
