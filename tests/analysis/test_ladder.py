from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.analysis.ladder import carried_share, ladder, point_at, rates_at, saturating_share
from chaoskit.analysis.observations import observe
from chaoskit.plan.model import Plan
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE, Day, simulate

TOLERANCE = 0.15
SHORT = replace(AMPLE, surge_s=12.0, recovery_s=4.0)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)})


def test_rates_run_in_a_line_from_baseline_to_surge(plan: Plan) -> None:
    assert rates_at(plan, 0.0).tolist() == [5.0, 2.0]
    assert rates_at(plan, 1.0).tolist() == [200.0, 400.0]
    assert rates_at(plan, 0.5).tolist() == pytest.approx([102.5, 201.0])


def test_a_point_names_multiples_and_rates(plan: Plan) -> None:
    point = point_at(plan, 0.5)
    assert point.multiples == pytest.approx({"trading": 20.5, "positions": 100.5})
    assert point.rates_rps == pytest.approx({"trading": 102.5, "positions": 201.0})


@given(trading_s=st.floats(1e-5, 0.1), positions_s=st.floats(0, 0.1), servers=st.integers(2, 500))
def test_at_the_saturating_share_the_servers_are_just_full(trading_s: float, positions_s: float, servers: int) -> None:
    plan = plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)})
    demand_s = np.array([trading_s, positions_s])
    share = saturating_share(plan, demand_s, servers)
    if share is not None and share > 0:
        assert float(demand_s @ rates_at(plan, share)) == pytest.approx(servers)


@pytest.mark.parametrize(
    ("demand_s", "servers", "share"),
    [
        pytest.param([0.0, 0.0], 4.0, None, id="no demand, no rung"),
        pytest.param([1.0, 1.0], 2.0, 0.0, id="full at baseline already"),
        pytest.param([1e-9, 0.0], 4.0, None, id="out of all reach"),
        pytest.param([0.0, 0.01], 0.0, None, id="no servers"),
    ],
)
def test_shares_at_the_edges(plan: Plan, demand_s: list[float], servers: float, share: float | None) -> None:
    assert saturating_share(plan, np.array(demand_s), servers) == share


def expected_shares(day: Day) -> dict[str, float]:
    hold_s = day.query_time_s + 0.0002
    trade_s = day.worker_time_s + 0.0004 + day.service_time_s
    regions = len(day.regions)
    return {
        "exchange/gateway.rate_limit": day.share_of(regions * day.rate_limit, trading=1, positions=1),
        "exchange/gateway.workers": day.share_of(
            regions * day.workers, trading=trade_s, positions=day.worker_time_s + hold_s
        ),
        "exchange/gateway.db_pool": day.share_of(regions * day.db_pool / hold_s, positions=1),
        "exchange/positions.connections": day.share_of(regions * day.connections / day.query_time_s, positions=1),
        "exchange/engine.matching": day.share_of(1 / day.service_time_s, trading=1),
    }


@pytest.mark.parametrize(
    "day",
    [
        pytest.param(SHORT, id="ample"),
        pytest.param(replace(SHORT, poisson=False, db_pool=2), id="even arrivals, small pool"),
        pytest.param(replace(SHORT, rate_limit=100), id="tight limit in front of everything"),
        pytest.param(replace(SHORT, workers=3), id="few workers in front of the pool"),
        pytest.param(replace(SHORT, service_time_s=0.008), id="slow engine"),
        pytest.param(replace(SHORT, latency=(14.0, 19.0, 0.3)), id="slow link for a while"),
    ],
)
def test_every_rung_stands_where_the_settings_put_it(day: Day) -> None:
    rungs = {rung.resource: rung for rung in ladder(observe(*simulate(day)))}
    truth = expected_shares(day)
    near = {resource for resource, share in truth.items() if share < 50}
    assert {resource: rungs[resource].saturates_at.share for resource in near} == pytest.approx(
        {resource: truth[resource] for resource in near}, rel=TOLERANCE
    )


def test_what_is_held_while_waiting_would_last_longer_by_its_own_work() -> None:
    rungs = {rung.resource: rung for rung in ladder(observe(*simulate(SHORT)))}
    workers = rungs["exchange/gateway.workers"]
    assert workers.own_share is None or workers.own_share > 5 * workers.saturates_at.share
    assert rungs["exchange/gateway.db_pool"].own_share is None, "it only waits"


def test_rungs_are_sorted_and_carry_their_law() -> None:
    rungs = ladder(observe(*simulate(replace(SHORT, db_pool=2))))
    shares = [rung.saturates_at.share for rung in rungs]
    assert shares == sorted(shares)
    pool = rungs[0]
    assert (pool.resource, pool.setting, pool.saturated) == ("exchange/gateway.db_pool", "gateway.db_pool", True)
    assert pool.demand_s == pytest.approx(0.0202, rel=0.1)
    assert pool.capacity_per_s == pytest.approx(2 * 2 / 0.0202, rel=0.1)


def test_a_processor_that_is_full_while_the_load_is_carried_is_left_off() -> None:
    plan, history = simulate(SHORT)
    assert "host.cpu" in {rung.resource for rung in ladder(observe(plan, history))}
    history.host = [replace(h, cpu_busy_s=1.0 * h.t_s + 6.9 * max(0.0, h.t_s - 11.0)) for h in history.host]
    assert carried_share(observe(plan, history)) == pytest.approx(1.0, rel=0.1)
    history.host = [replace(h, cpu_busy_s=1.5 * h.cpu_busy_s) for h in history.host]
    assert "host.cpu" not in {rung.resource for rung in ladder(observe(plan, history))}
