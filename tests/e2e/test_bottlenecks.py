"""The bottleneck emerges: with only settings changed, one scenario names each cause at the right load."""

from collections.abc import Awaitable, Callable

import pytest

from chaoskit.analysis.result import Verdict
from chaoskit.runner.run import Outcome
from tests.e2e.conftest import Day, day

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
Play = Callable[[Day], Awaitable[Outcome]]

TRADING = (10.0, 190.0)
"""Trading at surge share s: 10 + 190 s a second; positions below: 4 + 396 s."""
POSITIONS = (4.0, 396.0)
ENTRY = "gateway.service_time"


def share_of_positions(capacity_per_s: float) -> float:
    """Return the surge share at which the position queries reach `capacity_per_s`."""
    return (capacity_per_s - POSITIONS[0]) / POSITIONS[1]


def share_of_orders(capacity_per_s: float) -> float:
    """Return the surge share at which the orders reach `capacity_per_s`."""
    return (capacity_per_s - TRADING[0]) / TRADING[1]


def share_of_servers(servers: int, order_s: float, query_s: float) -> float:
    """Return the surge share at which orders and queries together hold all servers."""
    at_baseline = TRADING[0] * order_s + POSITIONS[0] * query_s
    return (servers - at_baseline) / (TRADING[1] * order_s + POSITIONS[1] * query_s)


def latency(delay: str) -> list[Day]:
    return [{"latency": {"link": "gateway->positions", "delay": delay}, "during": "surge", "at": "2s", "for": "6s"}]


CASES = {
    "small pool": (
        day({"gateway.db_pool": 2, "positions.query_time": "10ms"}),
        "exchange/gateway.db_pool",
        share_of_positions(2 / 0.010),
    ),
    "tight limit": (
        day({"gateway.rate_limit": 1000, "gateway.rate_limit_window": "1s", "gateway.ban_after": 1_000_000}),
        "exchange/gateway.rate_limit",
        share_of_positions(1000 / 5),
    ),
    "few slots": (
        day({"gateway.workers": 3, ENTRY: "5ms"}),
        "exchange/gateway.workers",
        share_of_servers(3, order_s=0.0053, query_s=0.0077),
    ),
    "slow matching": (
        day({"engine.service_time": "8ms"}),
        "exchange/engine.matching",
        share_of_orders(1 / 0.008),
    ),
    "slow link on an ample pool": (
        day(faults=latency("100ms")),
        "link:gateway->positions",
        share_of_positions(16 / 0.102),
    ),
    "small pool with a mild fault": (
        day({"gateway.db_pool": 2, "positions.query_time": "10ms"}, faults=latency("3ms")),
        "exchange/gateway.db_pool",
        share_of_positions(2 / 0.010),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_planted_bottleneck_is_named_first_and_its_share_is_right(case: str, played: Play) -> None:
    scenario, resource, share = CASES[case]
    outcome = await played(scenario)
    found = outcome.result.bottlenecks
    assert [bottleneck.resource for bottleneck in found][:1] == [resource], outcome.result.headline
    assert found[0].saturates_at is not None
    assert found[0].saturates_at.share == pytest.approx(share, rel=0.2)


async def test_a_lost_region_is_named(played: Play) -> None:
    lost = {"region_down": {"region": "us-east-1", "mode": "blackhole"}, "during": "surge", "at": "2s", "for": "4s"}
    scenario = day(faults=[lost])
    scenario["target"]["regions"] = ["us-east-1", "eu-west-1"]
    scenario["load"]["positions"]["timeout"] = scenario["load"]["trading"]["timeout"] = "2s"
    outcome = await played(scenario)
    assert outcome.result.bottlenecks[0].resource == "region:us-east-1", outcome.result.headline
    assert outcome.result.bottlenecks[0].fault is not None


async def test_a_starved_generator_is_named_and_proves_nothing(played: Play) -> None:
    outcome = await played(day({ENTRY: "20ms"}, generator={"connections": 8}))
    found = outcome.result.bottlenecks[0]
    assert found.resource == "generator.connections", outcome.result.headline
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    # A connection is held as long as a worker is: its service time, and 2 ms in the database for a query.
    share = share_of_servers(8, order_s=0.0205, query_s=0.0227)
    assert found.saturates_at is not None
    assert found.saturates_at.share == pytest.approx(share, rel=0.2)


async def test_where_everything_is_ample_nothing_is_blamed(played: Play) -> None:
    outcome = await played(day({"gateway.db_pool": 40, "gateway.workers": 500}, objectives=["errors < 1% in surge"]))
    assert outcome.result.bottlenecks == (), outcome.result.headline
    assert outcome.result.verdict is Verdict.PASS, outcome.result.reasons
    assert outcome.result.ladder[0].saturates_at.share > 1
