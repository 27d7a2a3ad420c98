"""Components are killed, paused and limited in mid-run: each is named, proven, undone, and recovered from."""

from collections.abc import Awaitable, Callable

import pytest

from chaoskit.runner.run import Outcome
from tests.e2e.conftest import Day, day
from tests.support.shop_plan import SHOP

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
Play = Callable[[Day], Awaitable[Outcome]]

LOAD = {
    "trading": {"flow": "trade", "rate": "20/s", "timeout": "2s"},
    "positions": {"flow": "positions", "rate": "20/s", "timeout": "2s"},
}
PHASES = [
    {"warmup": {"for": "1s"}},
    {"baseline": {"for": "4s"}},
    {"surge": {"for": "26s", "ramp": "1s", "multiply": {"trading": 3, "positions": 2}}},
]
TWO_REGIONS = {"use": "exchange", "regions": ["us-east-1", "eu-west-1"], "placement": {"engine": "us-east-1"}}


def fault(kind: str, at_s: int, for_s: int, **parameters: object) -> Day:
    return {kind: parameters, "during": "surge", "at": f"{at_s}s", "for": f"{for_s}s"}


FAULTS = {
    "component:engine": fault("pause", 1, 2, component="engine"),
    "component:positions": fault("kill", 6, 2, component="positions"),
    "component:gateway@us-east-1": fault("stop", 12, 2, component="gateway@us-east-1"),
    "link:gateway->engine": fault("partition", 17, 2, regions=["us-east-1", "eu-west-1"]),
    "component:gateway@eu-west-1": fault("cpu_limit", 21, 3, component="gateway@eu-west-1", cores=0.01),
}


def assert_undone(outcome: Outcome) -> None:
    """Every fault worked, every place is clean again, and nothing died by itself."""
    assert outcome.restore_error is None
    assert all(receipt.effective and receipt.clean_after for receipt in outcome.history.receipts)
    assert {receipt.fault for receipt in outcome.history.receipts} == {fault.id for fault in outcome.result.faults}
    assert not [event for event in outcome.history.events if event.event == "component_died"]


def assert_recovered(outcome: Outcome) -> None:
    """After every fault a stream came back, and none stayed away."""
    back = {fault.id: set[bool | None]() for fault in outcome.result.faults}
    for recovery in outcome.result.recovery:
        back.setdefault(recovery.trigger, set()).add(recovery.came_back)
    assert all(True in seen and False not in seen for seen in back.values()), outcome.result.recovery


async def test_each_component_that_was_struck_is_named_and_comes_back(played: Play) -> None:
    scenario = day(target=TWO_REGIONS, load=LOAD, phases=PHASES, faults=list(FAULTS.values()))
    outcome = await played(scenario)
    assert_undone(outcome)
    found = {bottleneck.resource: bottleneck for bottleneck in outcome.result.bottlenecks}
    assert set(FAULTS) <= set(found), outcome.result.bottlenecks
    kinds = {fault.id: fault.kind for fault in outcome.result.faults}
    for subject, declared in FAULTS.items():
        assert kinds[found[subject].fault or ""] in declared
    assert_recovered(outcome)


async def test_what_its_memory_limit_killed_did_not_die_by_itself(played: Play) -> None:
    scenario = day(
        name="hungry",
        target={"use": str(SHOP), "settings": {"api.keeps": "100KB"}},
        load={"buying": {"flow": "buy", "rate": "100/s"}},
        phases=[{"baseline": {"for": "4s"}}, {"surge": {"for": "8s", "multiply": 2}}],
        faults=[fault("memory_limit", 1, 4, component="api", limit="120MB")],
    )
    outcome = await played(scenario)
    assert_undone(outcome)
    assert [event.event for event in outcome.history.events if event.event == "killed_by_limit"] == ["killed_by_limit"]
    assert "component:api" in {bottleneck.resource for bottleneck in outcome.result.bottlenecks}
    assert_recovered(outcome)
