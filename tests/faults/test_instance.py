"""Several faults on one instance: what they come to together, and what is asked of the driver for it."""

import pytest

from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import InstanceAction
from chaoskit.faults.instance import ControlledInstance, joined
from chaoskit.records import InstanceState, Vitals

KILLED, STOPPED, PAUSED = (InstanceAction(life) for life in ("killed", "stopped", "paused"))


class Recorded:
    """A control that writes down what is asked of it, and fails where it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.state: InstanceState = "running"
        self.fails: set[str] = set()

    async def halt(self, instance: str, gently: bool) -> None:
        self._note("stop" if gently else "kill")

    async def start_again(self, instance: str) -> None:
        self._note("start")

    async def pause(self, instance: str) -> None:
        self._note("pause")

    async def resume(self, instance: str) -> None:
        self._note("resume")

    async def limit(self, instance: str, cores: float | None, memory_bytes: int | None) -> None:
        self._note(f"limit {cores} {memory_bytes}")

    async def vitals(self, instance: str) -> Vitals:
        return Vitals(self.state)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fails:
            raise FaultFailed(f"{call} failed")

    def take(self) -> list[str]:
        calls, self.calls = self.calls, []
        return calls


@pytest.fixture
def control() -> Recorded:
    return Recorded()


@pytest.fixture
def instance(control: Recorded) -> ControlledInstance:
    return ControlledInstance("engine", control)


def test_the_gravest_and_the_tightest_count() -> None:
    limits = [InstanceAction(cores=0.5), InstanceAction(cores=0.2, memory_bytes=100), InstanceAction(memory_bytes=50)]
    assert joined([PAUSED, *limits, STOPPED]) == InstanceAction("stopped", 0.2, 50)
    assert joined([]) == InstanceAction()


async def test_an_end_outlasts_a_pause_and_the_other_way_round(control: Recorded, instance: ControlledInstance) -> None:
    await instance.apply("a", PAUSED)
    await instance.apply("b", KILLED)
    assert control.take() == ["pause", "resume", "kill"]
    assert not instance.should_live
    await instance.lift("b")
    assert control.take() == ["start", "pause"]
    assert not instance.quiet.is_set()
    await instance.lift("a")
    assert control.take() == ["resume"]
    assert instance.quiet.is_set()


async def test_it_is_ended_once_only(control: Recorded, instance: ControlledInstance) -> None:
    await instance.apply("a", STOPPED)
    await instance.apply("b", KILLED)
    await instance.lift("a")
    assert control.take() == ["stop"]
    await instance.lift("b")
    await instance.lift("b")
    assert control.take() == ["start"]


async def test_limits_follow_the_tightest_that_is_left(control: Recorded, instance: ControlledInstance) -> None:
    await instance.apply("a", InstanceAction(cores=0.5))
    await instance.apply("b", InstanceAction(cores=0.2))
    await instance.lift("b")
    await instance.lift("a")
    assert control.take() == ["limit 0.5 None", "limit 0.2 None", "limit 0.5 None", "limit None None"]


async def test_what_fell_to_its_limit_is_started_again_without_it(
    control: Recorded, instance: ControlledInstance
) -> None:
    await instance.apply("a", InstanceAction(memory_bytes=100))
    control.state = "oom_killed"
    await instance.lift("a")
    assert control.take() == ["limit None 100", "limit None None", "start"]


async def test_what_died_by_itself_is_not_started(control: Recorded, instance: ControlledInstance) -> None:
    await instance.apply("a", InstanceAction(memory_bytes=100))
    control.state = "exited"
    await instance.lift("a")
    assert control.take() == ["limit None 100", "limit None None"]


async def test_a_start_that_failed_is_tried_again(control: Recorded, instance: ControlledInstance) -> None:
    await instance.apply("a", KILLED)
    control.fails = {"start"}
    with pytest.raises(FaultFailed):
        await instance.lift("a")
    assert not instance.quiet.is_set()
    control.fails = set()
    await instance.lift("a")
    assert control.take() == ["kill", "start", "start"]
    assert instance.quiet.is_set()
