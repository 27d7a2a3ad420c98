from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.result import FaultResult
from chaoskit.analysis.strikes import Strike, Strikes
from chaoskit.plan.model import Plan, PlannedFault
from tests.faults.support import component_fault, fault, link, plan_of

HERE, THERE = link("gateway@us->engine", regions=("us",)), link("gateway@eu->engine", regions=("eu",))
ENTRY = link("client->gateway@us", regions=("us",))


def strikes(*faults: PlannedFault, effective: bool | None = True) -> Strikes:
    """All of these faults, in force in second 1 of 3."""
    plan: Plan = plan_of([ENTRY, HERE, THERE], faults)
    results = [FaultResult(one.id, one.kind, "", 1, 2, 1, 2, (), effective, None) for one in faults]
    return Strikes(plan, results, {one.id: np.array([False, True, False]) for one in faults})


LATENCY = fault("latency", links=("gateway@us->engine",))
PAUSE = component_fault("pause", "engine")
LOST = replace(fault("region_down", links=("gateway@us->engine",)), region="us")


@pytest.mark.parametrize(
    ("one", "strike"),
    [
        (LATENCY, Strike("link:gateway@us->engine", "link", "latency-1")),
        (PAUSE, Strike("component:engine", "component", "pause-1")),
        (LOST, Strike("region:us", "region", "region_down-1")),
    ],
)
def test_a_link_is_struck_itself_or_at_its_far_end_or_with_its_region(one: PlannedFault, strike: Strike) -> None:
    seen = strikes(one)
    assert seen.on_links([HERE], "us", 1) == strike
    assert seen.on_links([HERE], "us", 0) is None
    assert seen.on_links([HERE], "eu", 1) is None  # another region's link
    assert strikes(one, effective=False).on_links([HERE], "us", 1) is None
    assert strikes(one, effective=None).on_links([HERE], "us", 1) == strike


def test_nothing_enters_where_the_component_has_no_life_but_under_a_limit_some_does() -> None:
    assert strikes(component_fault("kill", "gateway@us")).on_entry(ENTRY, 1) == Strike(
        "component:gateway", "component", "kill-1"
    )
    assert strikes(component_fault("cpu_limit", "gateway@us")).on_entry(ENTRY, 1) is None
    assert strikes(LOST).on_entry(ENTRY, 1) == Strike("region:us", "region", "region_down-1")


def test_an_instance_is_struck_by_its_own_fault_only() -> None:
    assert strikes(PAUSE).on_instances({"engine"}, 1) == Strike("component:engine", "component", "pause-1")
    assert strikes(PAUSE).on_instances({"gateway@us"}, 1) is None
