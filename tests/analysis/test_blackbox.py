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
    assert any("status 429" in evidence.statement for evidence in found.evidence)


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
