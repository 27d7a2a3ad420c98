from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.blackbox import is_black_box, limit_from_outside
from chaoskit.analysis.observations import observe
from chaoskit.plan.model import Plan
from chaoskit.records import History
from tests.support.simulation import AMPLE, Day, simulate


def seen_from_outside(day: Day) -> tuple[Plan, History]:
    plan, history = simulate(day)
    history.resources = [sample for sample in history.resources if sample.resource.startswith("generator/")]
    return replace(plan, resources=(), objectives=()), history


@pytest.fixture(scope="module")
def overloaded() -> tuple[Plan, History]:
    return seen_from_outside(replace(AMPLE, rate_limit=100))


def test_without_resource_metrics_the_client_side_speaks(overloaded: tuple[Plan, History]) -> None:
    found = analyse(*overloaded).bottlenecks[0]
    assert (found.resource, found.kind) == ("exchange", "target")
    assert found.title.endswith("client side only")
    assert found.confidence <= 0.5
    assert found.capacity_per_s == pytest.approx(200, rel=0.1)
    assert found.saturates_at is not None
    assert found.saturates_at.share == pytest.approx(0.325, rel=0.15)
    assert analyse(*overloaded).ladder[0].resource == "exchange"
    assert any("status 429" in evidence.statement for evidence in found.evidence)


def test_a_fault_that_explains_little_does_not_lead_before_what_the_client_side_shows() -> None:
    result = analyse(*seen_from_outside(replace(AMPLE, rate_limit=100, latency=(27.0, 29.0, 0.6))))
    assert result.bottlenecks[0].kind == "target"
    assert result.unexplained > 0.5


def test_what_followed_the_load_is_not_blamed() -> None:
    seen = observe(*seen_from_outside(replace(AMPLE, surge_s=6.0)))
    assert is_black_box(seen)
    assert limit_from_outside(seen) is None


def test_a_measured_target_is_no_black_box() -> None:
    assert not is_black_box(observe(*simulate(replace(AMPLE, surge_s=4.0))))


STRONG = (14.0, 20.0, 0.3)


def test_a_fault_is_not_blamed_for_a_load_that_is_not_carried_without_it_either() -> None:
    plan, history = seen_from_outside(replace(AMPLE, rate_limit=100, latency=STRONG))
    first, *others = analyse(plan, history).bottlenecks
    assert (first.resource, first.kind) == ("exchange", "target")
    assert others == []


def test_a_fault_is_blamed_for_what_is_carried_without_it() -> None:
    plan, history = seen_from_outside(replace(AMPLE, latency=STRONG))
    assert [found.resource for found in analyse(plan, history).bottlenecks] == ["link:gateway->positions"]


def test_how_it_gave_way_is_told_by_the_time_of_the_answers(overloaded: tuple[Plan, History]) -> None:
    turned_away = analyse(*overloaded).bottlenecks[0].evidence[-1].statement
    assert turned_away.endswith("the rest was not kept waiting but turned away or dropped")
    kept_waiting = analyse(*seen_from_outside(replace(AMPLE, db_pool=2))).bottlenecks[0].evidence[-1].statement
    assert kept_waiting.endswith("requests wait inside the target, or on its links")


def test_connections_that_a_slow_target_holds_are_not_the_generators_fault() -> None:
    day = replace(AMPLE, db_pool=1, timeout_s=8.0, generator_connections=150)
    result = analyse(*seen_from_outside(day))
    assert result.bottlenecks[0].kind == "target"
    assert "generator connections" not in [check.name for check in result.validity if not check.ok]


def test_a_host_that_was_as_full_at_baseline_is_not_what_changed() -> None:
    plan, history = seen_from_outside(replace(AMPLE, rate_limit=100))
    history.host = [replace(h, cpu_busy_s=h.cpu_count * h.t_s) for h in history.host]
    assert [found.kind for found in analyse(plan, history).bottlenecks] == ["target"]
