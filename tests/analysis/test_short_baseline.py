"""A short baseline, a sudden surge, and workers that turn most of it away before it comes to the pool that is full."""

from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.result import Bottleneck
from chaoskit.plan.model import Plan
from chaoskit.records import History
from tests.support.simulation import Day, simulate

QUERY_S = 0.011
SUDDEN = Day(
    regions=("us-east-1",),
    trading_rps=0.0001,
    trading_multiple=1.0,
    positions_rps=10.0,
    positions_multiple=40.0,
    surge_s=8.0,
    recovery_s=3.0,
    ramp_s=0.0,
    timeout_s=2.0,
    workers=64,
    db_pool=2,
    query_time_s=QUERY_S,
    latency=None,
    region_lost=None,
)
SHARE = SUDDEN.share_of(2 / (QUERY_S + 0.0002), positions=1)


def queries_only(day: Day) -> tuple[Plan, History]:
    """Play `day`, and leave the other stream out: so little arrived of it that it never came."""
    plan, history = simulate(day)
    history.samples = [batch for batch in history.samples if batch.stream == "positions"]
    history.completions = [done for done in history.completions if done.stream == "positions"]
    objectives = tuple(one for one in plan.objectives if one.stream != "trading")
    return replace(plan, streams=plan.streams[1:], objectives=objectives), history


def first(day: Day) -> Bottleneck:
    found = analyse(*queries_only(day)).bottlenecks[0]
    assert found.resource == "exchange/gateway.db_pool"
    return found


@pytest.mark.parametrize("seed", [0, 2, 7])
@pytest.mark.parametrize("poisson", [True, False], ids=["poisson", "even"])
@pytest.mark.parametrize("baseline_s", [4.0, 5.0])
def test_the_pool_runs_out_where_its_size_puts_it(baseline_s: float, poisson: bool, seed: int) -> None:
    found = first(replace(SUDDEN, baseline_s=baseline_s, poisson=poisson, seed=seed))
    assert found.saturates_at is not None
    assert found.saturates_at.share == pytest.approx(SHARE, rel=0.2)
    assert "room for the declared surge" not in found.prediction


def test_what_a_baseline_is_too_short_for_is_not_told() -> None:
    found = first(replace(SUDDEN, baseline_s=3.0, poisson=False))
    assert found.saturates_at is None
    assert found.prediction.startswith("A larger gateway.db_pool helps; too little was seen of it")
