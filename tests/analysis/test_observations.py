from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.observations import Observations, demand_in, observe
from tests.support.simulation import AMPLE, simulate

POOL = "exchange/gateway@us-east-1.db_pool"
WORKERS = "exchange/gateway@us-east-1.workers"


@pytest.fixture(scope="module")
def small_pool() -> Observations:
    return observe(*simulate(replace(AMPLE, db_pool=2, latency=(16.0, 19.0, 0.1))))


def test_demand_is_per_arrival_of_each_stream(small_pool: Observations) -> None:
    demand = small_pool.demands[POOL]
    trading_s, positions_s = demand.total_s.tolist()
    assert positions_s == pytest.approx(0.0202 / 2, rel=0.1), "every second arrival enters this region"
    assert trading_s < 0.1 * positions_s
    assert demand.servers == 2


def test_a_victims_demand_leaves_out_the_wait_for_what_was_full(small_pool: Observations) -> None:
    _, positions_s = small_pool.demands[WORKERS].total_s.tolist()
    assert positions_s == pytest.approx(0.0207 / 2, rel=0.2)


def test_under_the_fault_the_demand_is_told_apart(small_pool: Observations) -> None:
    slowed_s = demand_in(small_pool, POOL, small_pool.active["latency-1"])
    undisturbed = small_pool.demands[POOL].total_s
    assert slowed_s @ np.array([200, 400]) > 4 * (undisturbed @ np.array([200, 400]))


def test_phases_leave_out_the_ramp(small_pool: Observations) -> None:
    assert small_pool.phase_windows("surge") == slice(12, 30)
    assert small_pool.phase_windows(None) == slice(0, 0)


def test_utilization_measured_and_asked_for(small_pool: Observations) -> None:
    assert small_pool.mean_utilization(POOL, "baseline") < 0.05
    assert small_pool.mean_utilization(POOL, "surge") > 0.95
    assert small_pool.offered_utilization(POOL, 14) == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize(
    ("grows", "servers"),
    [
        ((22.0, 46), 2),  # too late
        ((16.0, 1), 2),  # too little: it is full before and after
        ((11.0, 46), 48),  # in time: that many carried the surge
    ],
)
def test_a_resource_that_grew_is_judged_by_what_it_had_when_it_counted(grows: tuple[float, int], servers: int) -> None:
    day = replace(AMPLE, db_pool=2, db_pool_grows=grows, baseline_s=12.0, surge_s=12.0, recovery_s=20.0)
    seen = observe(*simulate(day))
    assert seen.demands[POOL].servers == servers
    assert bool(seen.saturated[POOL].any()) is (servers == 2)
    assert seen.offered_utilization(POOL, 23) == pytest.approx(400 * 0.0202 / 2 / (2 + grows[1]), rel=0.2)
