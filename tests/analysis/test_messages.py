"""What subscribers got, from batches by second."""

from dataclasses import replace

import pytest

from chaoskit.analysis.messages import judge_messages, messages_in
from chaoskit.analysis.objectives import objective_results
from chaoskit.metric import Comparison, Metric
from chaoskit.plan.model import Objective, Plan, PlannedPhase
from chaoskit.records import Histogram, History, MessageBatch
from tests.support.load_plan import get, plan_of, stream_of

BASELINE = PlannedPhase("baseline", 0, 10, 0, {})
SURGE = PlannedPhase("surge", 10, 20, 0, {})


def batch(second: int, **changes: object) -> MessageBatch:
    plain = MessageBatch(
        "feeds", "client->venue", second, 0, opened=0, listeners=40, messages=400, size_bytes=40_000, dropped={},
        silence_us=Histogram.of_us([100_000] * 40), age_us=Histogram(),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def plan() -> Plan:
    stream = stream_of(get("/"), (20, 1), name="feeds")
    return replace(plan_of(stream, stream_of(get("/"), (20, 1))), phases=(BASELINE, SURGE))


def history(*batches: MessageBatch) -> History:
    return History.of(batches)


def day() -> History:
    """Forty listen; in the surge twenty come, a stall of 3 s from second 12 on, and thirty are let go in second 15."""
    seconds = [batch(second) for second in range(20)]
    seconds[0] = batch(0, opened=40)
    seconds[11] = batch(11, opened=20, listeners=60)
    for second, longest_us in ((12, 1_000_000), (13, 2_000_000), (14, 3_000_000)):
        silent = Histogram.of_us([longest_us] * 60)
        seconds[second] = batch(second, listeners=60, messages=0, size_bytes=0, silence_us=silent)
    seconds[15] = batch(15, listeners=30, dropped={"closed 1001": 29, "reset": 1})
    return history(*seconds)


def test_phases() -> None:
    before = messages_in(day(), "feeds", [BASELINE])
    during = messages_in(day(), "feeds", [SURGE])
    assert before is not None
    assert during is not None
    assert (before.listeners, before.opened, before.messages_rps, before.bytes_per_s) == (40, 40, 400, 40_000)
    assert before.drops_ratio == 0
    assert (during.listeners, during.opened, during.messages) == (60, 20, 2800)
    assert dict(during.dropped) == {"closed 1001": 29, "reset": 1}
    assert during.drops_ratio == pytest.approx(30 / 60)  # forty who listened before, and twenty who came
    assert during.silence_s["p50"] == pytest.approx(0.1, rel=0.01)
    assert during.silence_s["p99"] == pytest.approx(3, rel=0.01)
    assert during.age_s == {}


def test_nobody_listened() -> None:
    assert messages_in(day(), "others", [SURGE]) is None
    assert messages_in(history(), "feeds", [SURGE]) is None


@pytest.mark.parametrize(
    ("metric", "quantile", "comparison", "bound", "met"),
    [
        ("silence_quantile", 0.99, "<", 2.0, False),
        ("silence_quantile", 0.5, "<", 2.0, True),
        ("age_quantile", 0.99, "<", 1.0, None),
        ("messages", None, ">", 270.0, True),
        ("messages", None, ">", 290.0, False),
        ("drops", None, "<", 0.4, False),
        ("drops", None, "<=", 0.5, True),
    ],
)
def test_objectives(
    metric: Metric, quantile: float | None, comparison: Comparison, bound: float, met: bool | None
) -> None:
    objective = Objective("as asked", "feeds", metric, quantile, comparison, bound, "surge")
    (result,) = objective_results(replace(plan(), objectives=(objective,)), day(), ())
    assert result.met is met


def test_too_few_seconds_carry_no_percentile() -> None:
    objective = Objective("as asked", None, "silence_quantile", 0.99, "<", 1.0, None)
    measured, reason = judge_messages(objective, plan(), history(batch(3)))
    assert measured is None
    assert "40 seconds of subscribers cannot carry" in reason


def test_without_subscribers_nothing_is_told() -> None:
    objective = Objective("as asked", None, "drops", None, "<", 0.01, None)
    assert judge_messages(objective, plan(), history()) == (
        None,
        "nobody listened: no subscription had its first message",
    )
