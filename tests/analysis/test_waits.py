from dataclasses import replace

import pytest

from chaoskit.analysis.observations import Observations, observe
from chaoskit.analysis.waits import Wait, added_s, wait
from tests.support.simulation import AMPLE, simulate

DAY = replace(AMPLE, baseline_s=8.0, surge_s=8.0, recovery_s=3.0, latency=(11.0, 14.0, 0.3), region_lost=(14.0, 16.0))
POOL = "exchange/gateway@eu-west-1.db_pool"


@pytest.fixture(scope="module")
def seen() -> Observations:
    return observe(*simulate(DAY))


@pytest.mark.parametrize(("now_s", "usual_s", "slower"), [(0.031, 0.02, True), (0.029, 0.02, False), (0.5, 0.0, False)])
def test_half_as_long_again_is_slower(now_s: float, usual_s: float, slower: bool) -> None:
    assert Wait(now_s, usual_s).slower is slower


@pytest.mark.parametrize(("added", "beyond"), [(0.02, True), (0.04, False), (None, False)])
def test_a_fault_explains_what_it_adds_and_a_little_more(added: float | None, beyond: bool) -> None:
    assert Wait(0.102, 0.002).is_beyond(added) is beyond


def test_a_wait_is_that_of_one_visit(seen: Observations) -> None:
    one = seen.series[POOL]
    then, undisturbed = (wait(seen, one, "gateway->positions", second) for second in (12, 15))
    assert then is not None
    assert undisturbed is not None
    assert then.now_s == pytest.approx(0.32, rel=0.1)
    assert then.usual_s == pytest.approx(0.02, rel=0.2)
    assert (then.slower, undisturbed.slower) == (True, False)


def test_of_a_few_visits_nothing_is_said(seen: Observations) -> None:
    assert wait(seen, seen.series[POOL], "gateway->positions", 3) is None


def test_what_a_fault_adds_is_what_its_receipts_measured(seen: Observations) -> None:
    assert added_s(seen, "latency-1") == pytest.approx(0.3)
    assert added_s(seen, "region_down-2") is None
