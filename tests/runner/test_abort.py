"""An abort rule trips once every one of its seconds broke it, and not before."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.records import Histogram, SampleBatch
from chaoskit.runner.abort import AbortWatch
from chaoskit.runner.window import Seconds
from tests.runner.test_window import batch
from tests.support.shop_plan import DAY, shop_plan

TIMEOUT_S = 3
IMPATIENT = DAY.replace("rate: 100/s}", f"rate: 100/s, timeout: {TIMEOUT_S}s}}")


def watch(folder: Path, rule: str) -> AbortWatch:
    return AbortWatch(shop_plan(folder, f"{IMPATIENT}abort_when: ['{rule}']\n"))


def seconds_of(failures: list[int], failed_by: str = "refused") -> Seconds:
    """Seconds of 100 arrivals each (as planned before the surge), so many of which failed."""
    seconds = Seconds()
    for second, failed in enumerate(failures):
        seconds.add(batch("buying", second, 100 - failed, **{failed_by: failed}))
    return seconds


@pytest.mark.parametrize(
    ("failures", "trips"),
    [
        ([90, 90, 90], True),
        ([0, 90, 90, 90], True),
        ([90, 90, 0, 90], False),
        ([90, 90], False),
        ([50, 50, 50, 50], False),
        ([], False),
    ],
)
def test_errors_must_last(tmp_path: Path, failures: list[int], trips: bool) -> None:
    found = watch(tmp_path, "errors > 60% for 3s").tripped(seconds_of(failures), len(failures))
    assert (found is not None) is trips


def test_the_sentence_names_rule_and_seconds(tmp_path: Path) -> None:
    found = watch(tmp_path, "errors > 60% for 3s").tripped(seconds_of([0, 90, 90, 90]), 4)
    assert found == "errors > 60% held for 3 s, from second 1 to 3"


def test_requests_that_time_out_trip_a_timeout_later(tmp_path: Path) -> None:
    rule = watch(tmp_path, "errors > 60% for 2s")
    seconds, tripped_at = Seconds(), None
    for now in range(1, 9):  # nothing is ever answered: what was meant for a second is known a timeout after its end
        if now > TIMEOUT_S:
            seconds.add(batch("buying", now - TIMEOUT_S - 1, 0, timeout=100))
        if rule.tripped(seconds, now) is not None:
            tripped_at = now
            break
    assert tripped_at == TIMEOUT_S + 2


def test_answers_that_come_late_do_not_trip_a_rule_before_they_are_in(tmp_path: Path) -> None:
    rule = watch(tmp_path, "errors > 60% for 2s")
    seconds = Seconds()
    for second in range(2):  # some are refused at once, most are answered two seconds later
        seconds.add(batch("buying", second, 0, refused=10))
    assert rule.tripped(seconds, 2) is None
    for second in range(2):
        seconds.add(batch("buying", second, 90))
    assert rule.tripped(seconds, 4) is None


@pytest.mark.parametrize("metric", ["p99", "service p99", "buying p50"])
def test_what_is_never_answered_is_infinitely_late(tmp_path: Path, metric: str) -> None:
    rule = watch(tmp_path, f"{metric} > 8s for 2s")
    assert rule.tripped(seconds_of([100, 100], failed_by="timeout"), 2)


def test_latency_and_rate_rules(tmp_path: Path) -> None:
    seconds = seconds_of([0, 0, 0])
    assert watch(tmp_path, "p99 > 500us for 2s").tripped(seconds, 3)
    assert watch(tmp_path, "p99 > 2ms for 2s").tripped(seconds, 3) is None
    assert watch(tmp_path, "buying rate < 200/s for 2s").tripped(seconds, 3)
    assert watch(tmp_path, "buying rate < 100/s for 2s").tripped(seconds, 3) is None


def test_a_retry_storm_can_stop_the_run(tmp_path: Path) -> None:
    seconds = Seconds()
    for second in range(3):
        seconds.add(replace(batch("buying", second, 60, refused=40), attempts=250))
    assert watch(tmp_path, "buying amplification > 2 for 2s").tripped(seconds, 3)
    assert watch(tmp_path, "amplification > 2.5 for 2s").tripped(seconds, 3) is None


def test_a_rule_of_a_phase_looks_at_that_phase_only(tmp_path: Path) -> None:
    rule = watch(tmp_path, "errors > 60% in surge for 2s")  # the surge begins at 4 s with 300 arrivals a second
    seconds = seconds_of([90, 90, 90, 90])
    assert rule.tripped(seconds, 4) is None
    for second in (4, 5):
        seconds.add(batch("buying", second, 0, refused=300))
    assert rule.tripped(seconds, 6) == "errors > 60% in surge held for 2 s, from second 4 to 5"


@pytest.mark.parametrize("rule", ["errors > 60% for 1s", "p99 > 1us for 1s", "rate < 9/s for 1s"])
def test_a_second_without_arrivals_breaks_nothing(tmp_path: Path, rule: str) -> None:
    assert (
        AbortWatch(shop_plan(tmp_path, f"{DAY}abort_when: ['{rule}']\n".replace("100/s", "0/s"))).tripped(Seconds(), 5)
        is None
    )


FEW = IMPATIENT.replace("100/s", "10/s")
ON_TIME_US, LATE_US = 1_000, 3_000_000


def few_of(late: Sequence[int | None]) -> Seconds:
    """Seconds of ten arrivals each, so many of which took three seconds; None: nothing arrived."""
    seconds = Seconds()
    for second, count in enumerate(late):
        if count is None:
            continue
        times = Histogram.of_us([LATE_US] * count + [ON_TIME_US] * (10 - count))
        seconds.add(SampleBatch("buying", "client->api", second, 0, 10, {}, 10, times, times, times))
    return seconds


@pytest.mark.parametrize(
    ("late", "trips"),
    [
        pytest.param([1] * 10, True, id="one of ten, all the time"),
        pytest.param([0, 1, 1, 0, 0, 1, 0, 0, 1, 0], True, id="four of a hundred: more than 1 % of 300"),
        pytest.param([0, 1, 0, 0, 0, 1, 0, 0, 1, 0], False, id="three may be those that a p99 of 300 leaves out"),
        pytest.param([10, 10, 0, 0, 0, 0, 0, 0, 0, 0], False, id="a bad moment"),
        pytest.param([0] * 10, False, id="none"),
        pytest.param([10] * 9, False, id="not long enough"),
        pytest.param([1, 1, 0, None, None, 1, 1, 0, None, 0], True, id="seconds without arrivals in between"),
        pytest.param([None] * 10, False, id="nothing arrives"),
    ],
)
def test_a_percentile_that_a_second_cannot_carry_is_judged_over_the_whole_time(
    tmp_path: Path, late: list[int | None], trips: bool
) -> None:
    plan = shop_plan(tmp_path, f"{FEW}abort_when: ['p99 > 2s for 10s']\n")
    (stream,) = plan.streams
    planned = tuple(0 if count is None else 10 for count in late)
    rule = AbortWatch(replace(plan, streams=(replace(stream, expected_per_second=planned),)))
    assert (rule.tripped(few_of(late), len(late)) is not None) is trips


def test_a_percentile_that_each_second_carries_is_judged_by_the_second(tmp_path: Path) -> None:
    rule = AbortWatch(shop_plan(tmp_path, f"{FEW}abort_when: ['p50 > 2s for 4s']\n"))
    assert rule.tripped(few_of([9, 9, 0, 9, 9]), 5) is None
    assert rule.tripped(few_of([9, 9, 9, 9]), 4)


def test_one_late_answer_of_a_second_breaks_no_p99(tmp_path: Path) -> None:
    rule = AbortWatch(shop_plan(tmp_path, f"{FEW}abort_when: ['p99 > 2s for 1s']\n"))
    assert rule.tripped(few_of([1]), 1) is None
    assert rule.tripped(few_of([9]), 1)
