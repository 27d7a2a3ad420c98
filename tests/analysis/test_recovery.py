from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.observations import observe
from chaoskit.analysis.recovery import _good, recoveries
from chaoskit.analysis.result import Recovery
from chaoskit.records import FaultEvent, Histogram, History, Receipt, RunEvent, SampleBatch
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

PLAN = plan_of(
    replace(AMPLE, latency=(3.0, 5.0, 0.1), trading_multiple=10, positions_multiple=1),
    {"trading": np.zeros(0), "positions": np.zeros(0)},
)
END = 40


def history(bad: set[int], retries: int = 0) -> History:
    """100 arrivals a second, half of which fail in the `bad` seconds; the fault is in force from 3 to 5."""
    records = History()
    for second in range(END):
        failed = 50 if second in bad else 0
        times = Histogram.of_us([5_000] * (100 - failed))
        records.add(
            SampleBatch(
                "trading", "e", second, 0, 100 - failed, {"timeout": failed}, 100 + retries, times, times, Histogram()
            )
        )
    records.add(FaultEvent(3.0, "latency-1", "applied"))
    records.add(FaultEvent(5.0, "latency-1", "lifted"))
    records.add(Receipt("latency-1", "l", "", "", True, True))
    return records


def recovery_of(bad: set[int], trigger: str, retries: int = 0) -> Recovery:
    found = recoveries(observe(PLAN, history(bad, retries)))
    return next(one for one in found if one.trigger == trigger and one.stream == "trading")


@pytest.mark.parametrize(
    ("bad", "first_good_s", "stays_good_s"),
    [
        pytest.param(set(), 0.0, 0.0, id="never harmed"),
        pytest.param({3, 4}, 0.0, 0.0, id="good at once"),
        pytest.param({3, 4, 5, 6}, 2.0, 2.0, id="after a while"),
        pytest.param({3, 4, 6, 7}, 0.0, 3.0, id="good, then bad again"),
    ],
)
def test_first_good_and_staying_good_after_a_fault(bad: set[int], first_good_s: float, stays_good_s: float) -> None:
    found = recovery_of(bad, "latency-1")
    assert (found.first_good_s, found.stays_good_s, found.came_back) == (first_good_s, stays_good_s, True)


def test_still_bad_after_the_fault_with_the_load_at_baseline_is_metastable() -> None:
    assert recovery_of(set(range(3, 12)), "latency-1").came_back is False


def test_bad_before_the_fault_cannot_come_back_from_it() -> None:
    found = recovery_of(set(range(10)), "latency-1")
    assert (found.came_back, found.reason, found.unsettled_s) == (None, "was not good before it either", None)


def test_never_good_again_with_the_load_back_at_baseline_is_metastable() -> None:
    found = recovery_of(set(range(12, END)), "end of surge")
    assert (found.first_good_s, found.came_back) == (None, False)


@pytest.mark.parametrize("watched_s", [31, 34])
def test_a_run_that_ends_soon_after_does_not_know_whether_it_came_back(watched_s: int) -> None:
    """As after Ctrl-C or a kill: the surge ended at 30, and the records end at `watched_s`."""
    cut = history(set(range(12, END)))
    cut.samples = [batch for batch in cut.samples if batch.second < watched_s]
    found = next(one for one in recoveries(observe(PLAN, cut)) if one.trigger == "end of surge")
    assert (found.came_back, found.unsettled_s) == (None, watched_s - 30)


def test_a_run_that_is_stopped_before_the_surge_ends_watched_no_recovery() -> None:
    cut = history(set(range(3, END)))
    cut.add(RunEvent(5.7, "abort", "stopped from the keyboard"))
    found = recoveries(observe(PLAN, cut))
    assert {one.came_back for one in found} == {None}
    assert {one.reason for one in found} == {"was not watched after it, since the run ended first"}


def test_a_short_recovery_phase_is_too_short_to_say_never() -> None:
    short = tuple(replace(phase, end_s=min(phase.end_s, 32.0)) for phase in PLAN.phases)
    plan = replace(PLAN, phases=short, duration_s=32.0)
    lost = history(set(range(12, END)))
    found = next(one for one in recoveries(observe(plan, lost)) if one.trigger == "end of surge")
    assert (found.came_back, found.reason) == (None, "did not settle in the 2s that were left to it")


def test_a_blip_at_the_end_is_not_metastable() -> None:
    found = recovery_of({END - 1}, "end of surge")
    assert (found.first_good_s, found.stays_good_s, found.came_back) == (0.0, None, None)
    assert (found.reason, found.unsettled_s) == ("had one bad second, the last that was watched", None)


def test_what_is_bad_until_the_surge_was_not_seen_to_settle() -> None:
    found = recovery_of(set(range(6, 10)), "latency-1")
    assert (found.first_good_s, found.stays_good_s) == (0.0, None)
    assert (found.unsettled_s, found.reason) == (5.0, "did not settle in the 5s that were left to it")


@pytest.mark.parametrize(
    ("offered", "harmed", "good"),
    [(0, 0, True), (1, 1, False), (2, 1, False), (5, 1, True), (5, 2, False), (200, 2, True), (200, 3, False)],
)
def test_a_single_arrival_of_several_spoils_no_second(offered: float, harmed: float, good: bool) -> None:
    assert _good(np.array([offered]), np.array([harmed])).tolist() == [good]


def test_retries_amplify() -> None:
    assert recovery_of(set(), "end of surge", retries=150).amplification == pytest.approx(2.5)


def test_a_stream_without_load_has_no_recovery_to_tell() -> None:
    found = recoveries(observe(PLAN, history(set())))
    assert {(one.came_back, one.reason) for one in found if one.stream == "positions"} == {
        (None, "had no load after it")
    }
