"""A process that is denied CPU lets answers lie: the waits that it counts as the link's are its own."""

from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.result import Result
from chaoskit.analysis.starvation import cpu_waits
from chaoskit.plan.model import Plan
from chaoskit.records import History, HostSample, UsageSample
from tests.support.simulation import AMPLE, simulate

STARVED = replace(
    AMPLE,
    baseline_s=8.0,
    surge_s=9.0,
    recovery_s=6.0,
    ramp_s=1.0,
    trading_rps=20.0,
    positions_rps=20.0,
    trading_multiple=10.0,
    positions_multiple=10.0,
    query_time_s=0.002,
    db_pool=16,
    workers=64,
    cpus=0.2,
    cpu_time_s=0.001,
    answer_time_s=0.002,
)
"""Gateways with a fifth of a core: half of the surge fills it, and answers wait for it as requests do."""

TICK_S = 0.01
GATEWAYS = ("gateway@us-east-1", "gateway@eu-west-1")


def named(plan: Plan, history: History) -> list[str]:
    return [found.resource for found in analyse(plan, history).bottlenecks]


@pytest.mark.parametrize("fault", [None, (12.0, 14.0, 0.02)], ids=["no fault", "mild fault on the link"])
@pytest.mark.parametrize("told", [True, False], ids=["waits known", "waits unknown"])
def test_a_starved_gateway_is_named_and_no_link(fault: tuple[float, float, float] | None, told: bool) -> None:
    plan, history = simulate(replace(STARVED, latency=fault))
    if not told:
        history.usage = [replace(usage, cpu_wait_s=None) for usage in history.usage]
        # Without the waits, what still drains when the processor is no longer full stays the link's: a few arrivals.
        assert named(plan, history)[0] == "exchange/gateway.cpu"
        return
    assert named(plan, history) == ["exchange/gateway.cpu"]


def test_it_is_full_although_the_kernel_counts_in_ticks() -> None:
    """One tick is a twentieth of what a fifth of a core does in a second: it is 95 % full, then 105 %, and so on."""
    plan, history = simulate(replace(STARVED, latency=(11.0, 16.0, 0.02)))
    history.usage = [
        replace(usage, cpu_s=max(0.0, usage.cpu_s - TICK_S * (round(usage.t_s) % 2)), cpu_wait_s=None)
        for usage in history.usage
    ]
    assert named(plan, history)[0] == "exchange/gateway.cpu"


def test_the_chain_goes_over_the_link_that_seemed_slow() -> None:
    result = _shortly_starved()
    (found,) = result.bottlenecks
    assert found.resource == "exchange/gateway.cpu"
    assert "link:gateway->positions" in [step.subject for step in found.cause_chain if step.role == "victim"]
    assert any("ready to run" in evidence.statement for evidence in found.evidence)


@pytest.mark.parametrize("fault", [None, (12.0, 14.0, 0.02)], ids=["no fault", "mild fault on the link"])
@pytest.mark.parametrize("cores", ["1", None], ids=["has a core, it is thought", "cores unknown"])
def test_a_limit_that_nobody_knows_of_shows_as_well(
    fault: tuple[float, float, float] | None, cores: str | None
) -> None:
    plan, history = simulate(replace(STARVED, latency=fault))
    known = [one if one.kind != "cpu" else replace(one, setting=cores) for one in plan.resources]
    plan = replace(plan, resources=tuple(one for one in known if one.kind != "cpu" or cores))
    (found,) = analyse(plan, history).bottlenecks
    assert found.resource == "exchange/gateway.cpu"
    assert (
        found.title
        == "exchange/gateway.cpu is not to be had: a limit, or other programs, keep the component from running"
    )
    assert found.prediction.startswith("More of the same processor does not help")
    assert found.cause_chain[-1].statement.startswith("ready to run, and kept from its processor")
    assert any("had no CPU for 80%" in evidence.statement for evidence in found.evidence)


def test_on_a_full_machine_the_host_is_named() -> None:
    plan, history = _slow_link_day()
    history.host = [HostSample(t / 2, 8 * t / 2 if t > 24 else t / 2, 8, 8_000_000_000) for t in range(60)]
    assert named(plan, _with_waits(history, 13.0, 19.0))[0] == "host.cpu"


def test_a_link_that_is_slow_while_nobody_starves_is_named_itself() -> None:
    assert named(*_slow_link_day()) == ["link:gateway->positions"]


def test_a_fault_that_adds_as_much_as_was_waited_is_named_although_somebody_starves() -> None:
    plan, history = simulate(replace(AMPLE, surge_s=14.0, recovery_s=6.0, latency=(13.0, 19.0, 0.3)))
    assert named(plan, _with_waits(history, 13.0, 19.0)) == ["link:gateway->positions"]


def test_waits_and_cpu_seconds_by_window() -> None:
    history = History(usage=[UsageSample(t / 2, "web", 0.1 * t, 0, 0, 0.3 * max(0, t - 4)) for t in range(13)])
    waits = cpu_waits(history, 7)["web"]
    assert waits.starved.tolist() == [False, False, True, True, True, True, False]
    assert waits.used_s[:6] == pytest.approx(np.full(6, 0.2))
    assert waits.denied_ratio([3, 4]) == pytest.approx(0.75)
    assert waits.denied_ratio([0, 1]) == 0.0


def test_what_is_not_told_is_not_known() -> None:
    history = History(usage=[UsageSample(float(t), "web", 0.1 * t, 0, 0) for t in range(5)])
    assert cpu_waits(history, 4) == {}


def _slow_link_day() -> tuple[Plan, History]:
    """A link that is slow for six seconds with no fault declared, and an ample pool that fills because of it."""
    day = replace(AMPLE, surge_s=14.0, recovery_s=6.0, latency=(13.0, 19.0, 0.3))
    plan, history = simulate(day)
    history.faults, history.receipts = [], []
    return replace(plan, faults=()), history


def _with_waits(history: History, start_s: float, end_s: float) -> History:
    history.usage = [
        replace(u, cpu_s=0.1 * u.t_s, cpu_wait_s=0.6 * min(max(0.0, u.t_s - start_s), end_s - start_s))
        for u in history.usage
        if u.source in GATEWAYS
    ]
    return history


def _shortly_starved() -> Result:
    plan, history = _slow_link_day()
    return analyse(plan, _with_waits(history, 13.0, 19.0))
