from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.steadiness import steadiness
from chaoskit.records import Histogram, SampleBatch
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

EVERY_SECOND = np.arange(0.5, 10.0)
PLAN = plan_of(AMPLE, {"trading": EVERY_SECOND, "positions": np.zeros(0)})


def baseline(times_us: list[int], failed_second: int | None = None) -> list[SampleBatch]:
    batches = []
    for second, time_us in enumerate(times_us):
        times = Histogram.of_us([time_us] * 20)
        failed = {"reset": 20} if second == failed_second else {}
        batches.append(SampleBatch("trading", "e", second, 0, 20, failed, 20, times, times, Histogram()))
    return batches


@pytest.mark.parametrize(
    ("batches", "steady"),
    [
        pytest.param(baseline([10_000] * 10), True, id="level"),
        pytest.param(baseline([10_000] * 5 + [11_500] * 5), True, id="within the tolerance"),
        pytest.param(baseline([10_000] * 5 + [20_000] * 5), False, id="drifting"),
        pytest.param(baseline([100] * 5 + [4_000] * 5), True, id="below 5 ms"),
        pytest.param(baseline([10_000] * 10, failed_second=3), False, id="failing"),
        pytest.param(baseline([10_000] * 5), False, id="half of it silent"),
        pytest.param([], False, id="silent"),
    ],
)
def test_the_two_halves_of_the_baseline_agree(batches: list[SampleBatch], steady: bool) -> None:
    found = [check for check in steadiness(PLAN, batches) if check.name == "baseline of trading"]
    assert [check.ok for check in found] == [steady]


def test_seconds_that_have_not_settled_do_not_count() -> None:
    batches = baseline([10_000] * 8 + [900_000] * 2)
    assert next(iter(steadiness(PLAN, batches, until_s=8.0))).ok
    assert not next(iter(steadiness(PLAN, batches))).ok


def test_without_a_baseline_there_is_nothing_to_ask() -> None:
    assert list(steadiness(replace(PLAN, baseline_phase=None), [])) == []
