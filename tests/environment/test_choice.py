"""Which driver a run uses, and what a limit makes of a CPU."""

from dataclasses import replace

import pytest

from chaoskit.environment import with_driver
from chaoskit.errors import UsageError
from chaoskit.plan.model import DriverName, Plan, PlannedContainer, PlannedResource
from tests.support.small_plan import instance, plan_of

CONTAINER = PlannedContainer(image="front:1", cpus=0.5)


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAOSKIT_DRIVER", raising=False)
    monkeypatch.setattr("chaoskit.containers.answers", lambda: True)


def planned(driver: DriverName = "auto", *, command: bool = True, container: bool = True) -> Plan:
    front = replace(instance("front"), container=CONTAINER if container else None)
    plan = plan_of([front if command else replace(front, command=())])
    return replace(plan, driver=driver)


def test_auto_takes_containers_where_all_have_one_and_an_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_driver(planned()).driver == "docker"
    assert with_driver(planned(container=False)).driver == "process"
    monkeypatch.setattr("chaoskit.containers.answers", lambda: False)
    assert with_driver(planned()).driver == "process"
    assert with_driver(planned(command=False)).driver == "docker"  # the bring-up then says that no engine answers


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOSKIT_DRIVER", "process")
    assert with_driver(planned("docker")).driver == "process"
    assert with_driver(planned("process"), "docker").driver == "docker"
    monkeypatch.setenv("CHAOSKIT_DRIVER", "podman")
    with pytest.raises(UsageError, match="'podman' is no driver"):
        with_driver(planned())


@pytest.mark.parametrize(
    ("plan", "wanted", "message"),
    [
        (planned(container=False), "docker", "toy cannot be played as containers: front .* no `container`"),
        (planned(command=False), "process", "toy cannot be played as processes: front .* no `command`"),
        (replace(planned(), limited=("front",)), "process", "target.limits of front holds for containers only"),
        (planned(), "compose", "the driver compose is not chosen"),
        (planned("external"), "docker", "is played with the driver external only"),
    ],
)
def test_a_driver_that_cannot_play_the_target_says_why(plan: Plan, wanted: DriverName, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_driver(plan, wanted)


@pytest.mark.parametrize(
    ("driver", "cores", "setting"),
    [("docker", None, "0.5"), ("docker", "1", "0.5"), ("docker", "0.25", "0.25"), ("process", "1", "1")],
)
def test_a_limit_sizes_the_cpu_of_a_container(driver: DriverName, cores: str | None, setting: str) -> None:
    cpu = PlannedResource("toy/front.cpu", "toy/front.cpu", "front", "cpu", "cpu", setting=cores)
    declared = PlannedResource("toy/front.cpu", "toy/front.cpu", "front", "cpu", "cpu", "front.threads", "8")
    plan = replace(planned(), resources=(cpu, declared))
    assert [one.setting for one in with_driver(plan, driver).resources] == [setting, "8"]
