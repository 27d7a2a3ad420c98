"""Control groups where they cannot be made, and by name; what they limit is shown in test_process_instance."""

from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.environment import ProcessDriver, Workspace, control_group
from chaoskit.environment.control_group import ControlGroup
from chaoskit.environment.identity import Runner
from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.plan.model import PlannedFault
from tests.support.small_plan import instance, plan_of

RUNNER = Runner(12, 3456, "pid:[4026531836]")


def two(folder: Path) -> tuple[Path, Path]:
    return folder, folder


def test_a_group_says_whose_it_is() -> None:
    name = "chaoskit-20261122T2330Z-ab12-12-3456-4026531836.gateway@us-east-1"
    group = ControlGroup(name, 2, two(Path("/nowhere")))
    assert (group.run_id, group.runner) == ("20261122T2330Z-ab12", RUNNER)
    assert ControlGroup("chaoskit-of-somebody-else", 2, two(Path("/nowhere"))).runner is None


def test_version_2_is_written_in_its_own_words(tmp_path: Path) -> None:
    group = ControlGroup("one", 2, two(tmp_path))
    (tmp_path / "memory.swap.max").touch()
    group.limit(0.25, 1_000_000)
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {"cpu.max": "25000 100000", "memory.max": "1000000", "memory.swap.max": "0"}
    group.limit(None, None)
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {"cpu.max": "max 100000", "memory.max": "max", "memory.swap.max": "max"}
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    (tmp_path / "memory.current").write_text("4096\n")
    assert (group.oom_kills(), group.peak_bytes()) == (2, 4096)


def test_a_limit_that_the_kernel_refuses_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FaultFailed, match=r"the kernel refuses the limit: .*No such file"):
        ControlGroup("one", 1, two(tmp_path / "missing")).limit(0.5, None)


@pytest.mark.parametrize("places", [[], [(2, two(Path("/proc/nothing/here")))]])
async def test_where_no_group_can_be_made_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: list[tuple[int, tuple[Path, Path]]]
) -> None:
    monkeypatch.setattr(control_group, "_places", lambda: iter(places))
    limit = PlannedFault("cpu_limit", "cpu_limit", "", {}, (), None, "front", "surge", 0.0, 1.0, ("front",))
    workspace = Workspace.create("limited", tmp_path)
    driver = ProcessDriver(replace(plan_of([instance("front")]), faults=(limit,)), workspace, tmp_path / "logs")
    with pytest.raises(SetupFailed, match=r"front cannot be limited as a process \(.*play it in containers"):
        await driver.prepare()
    await driver.stop()
    assert not (tmp_path / "logs").exists()
