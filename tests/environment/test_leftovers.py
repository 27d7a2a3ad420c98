import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from chaoskit.environment import release
from chaoskit.environment.control_group import find_groups
from chaoskit.environment.labels import RUN, RUNNER, find_labelled
from chaoskit.environment.leftovers import Leftover, find, remove
from chaoskit.environment.workspace import Workspace

# A little runner: brings the small plan up, says which run it is, and waits to be killed.
PROGRAM = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from chaoskit.environment import ProcessDriver, Workspace
from chaoskit.plan.model import PlannedFault
from tests.support.small_plan import instance, plan_of

async def main():
    workspace = Workspace.create(sys.argv[1], Path(sys.argv[2]))
    plan = plan_of([instance("front", "--stray"), instance("store@east", "--ignore-term")])
    limit = PlannedFault("cpu_limit", "cpu_limit", "", {}, (), None, "front", "surge", 0.0, 1.0, ("front",))
    plan = replace(plan, faults=(limit,) if "limited" in sys.argv else ())
    driver = ProcessDriver(plan, workspace, workspace.folder / "logs")
    await driver.prepare()
    await driver.start()
    if "paused" in sys.argv:
        await driver.pause("front")
    if "limited" in sys.argv:
        await driver.limit("front", 0.01, None)
    print("up", flush=True)
    await driver.watch()

asyncio.run(main())
"""
ROOT = Path(__file__).parents[2]
StartRunner = Callable[..., tuple[str, "subprocess.Popen[str]"]]


@pytest.fixture
def start_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartRunner]:
    monkeypatch.setattr("chaoskit.environment.leftovers.TERMINATE_TIMEOUT_S", 0.3)
    runners: dict[str, subprocess.Popen[str]] = {}

    def start(*what: str) -> tuple[str, "subprocess.Popen[str]"]:
        run_id = os.urandom(4).hex()
        runner = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, run_id, str(tmp_path), *what],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        runners[run_id] = runner
        assert runner.stdout
        assert runner.stdout.readline() == "up\n"
        return run_id, runner

    yield start
    for run_id, runner in runners.items():
        runner.kill()
        runner.wait()
        assert runner.stdout
        runner.stdout.close()
        remove(found_of(run_id, tmp_path))


def found_of(run_id: str, temporary: Path) -> list[Leftover]:
    """What is found of one run; processes are found on the whole machine, where other tests may run too."""
    return [leftover for leftover in find(temporary) if leftover.run_id == run_id]


def processes_of(run_id: str) -> list[psutil.Process]:
    return [found.process for found in find_labelled() if found.label.run_id == run_id]


def test_a_killed_runner_leaves_nothing_once_cleaned_and_a_living_one_is_not_touched(
    start_runner: StartRunner, tmp_path: Path
) -> None:
    dead_id, dead = start_runner()
    living_id, living = start_runner()
    assert found_of(dead_id, tmp_path) == []

    dead.send_signal(signal.SIGKILL)
    dead.wait()
    leftovers = found_of(dead_id, tmp_path)
    assert found_of(living_id, tmp_path) == []
    assert len([leftover for leftover in leftovers if leftover.process]) == 3
    removal = remove(leftovers)
    done = removal.done
    assert removal.failed == []
    assert len(done) == 4
    assert done[-1] == f"removed folder of run {dead_id}: {tmp_path / f'chaoskit-{dead_id}'}"
    assert processes_of(dead_id) == []
    assert not (tmp_path / f"chaoskit-{dead_id}").exists()

    assert len(processes_of(living_id)) == 3
    assert living.poll() is None
    assert (tmp_path / f"chaoskit-{living_id}" / "runner.json").is_file()


def test_a_runner_that_is_a_zombie_is_dead(start_runner: StartRunner, tmp_path: Path) -> None:
    run_id, runner = start_runner()
    runner.kill()
    os.waitid(os.P_PID, runner.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has taken note
    assert len(found_of(run_id, tmp_path)) == 4


def test_a_living_run_is_known_without_its_folder(start_runner: StartRunner, tmp_path: Path) -> None:
    run_id, runner = start_runner()
    shutil.rmtree(tmp_path / f"chaoskit-{run_id}")
    assert found_of(run_id, tmp_path) == []
    runner.kill()
    runner.wait()
    assert len(found_of(run_id, tmp_path / "elsewhere")) == 3


@pytest.mark.parametrize("runner", ["", "{}", "nonsense"])
def test_a_label_that_does_not_say_whose_it_is_is_left_alone(tmp_path: Path, runner: str) -> None:
    run_id = os.urandom(4).hex()
    environment = {**os.environ, RUN: run_id, RUNNER: runner}
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], env=environment, stdin=subprocess.PIPE
    ) as child:
        assert run_id in {found.label.run_id for found in find_labelled()}
        assert found_of(run_id, tmp_path) == []
        child.kill()


def test_a_process_id_that_was_used_again_is_not_the_runner(tmp_path: Path) -> None:
    workspace = Workspace.create("reused", tmp_path)
    runner = workspace.runner()
    assert runner is not None
    assert runner.may_live()
    text = (workspace.folder / "runner.json").read_text()
    (workspace.folder / "runner.json").write_text(text.replace(str(runner.start_ticks), "1"))
    (leftover,) = found_of("reused", tmp_path)
    assert leftover.folder == workspace.folder
    remove([leftover])
    assert list(tmp_path.iterdir()) == []


def test_a_runner_in_another_container_may_live(tmp_path: Path) -> None:
    workspace = Workspace.create("elsewhere", tmp_path)
    runner = workspace.runner()
    assert runner is not None
    text = (workspace.folder / "runner.json").read_text()
    text = text.replace(str(runner.start_ticks), "1").replace(runner.namespace, "pid:[1]")
    (workspace.folder / "runner.json").write_text(text)
    assert found_of("elsewhere", tmp_path) == []


@pytest.mark.parametrize("note", [None, "", "{", "[1]", '{"process_id": 1}'])
def test_a_folder_that_does_not_say_whose_it_is_is_left_alone(tmp_path: Path, note: str | None) -> None:
    folder = tmp_path / "chaoskit-somebody"
    folder.mkdir()
    if note is not None:
        (folder / "runner.json").write_text(note)
    assert found_of("somebody", tmp_path) == []


def test_what_a_killed_runner_left_paused_and_limited_is_released_and_then_removed(
    start_runner: StartRunner, tmp_path: Path
) -> None:
    run_id, runner = start_runner("paused", "limited")
    runner.kill()
    runner.wait()
    groups = [group for group in find_groups() if group.run_id == run_id]
    assert len(groups) == 1
    paused = [process for process in processes_of(run_id) if process.status() == psutil.STATUS_STOPPED]
    assert len(paused) == 2
    subprocess.run(release.command(run_id), check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert not [process for process in paused if process.status() == psutil.STATUS_STOPPED]

    done = remove(found_of(run_id, tmp_path)).done
    assert f"removed control group of run {run_id}: {groups[0].name}" in done
    assert processes_of(run_id) == []
    assert [group for group in find_groups() if group.run_id == run_id] == []


def test_what_is_still_paused_is_stopped_without_delay(start_runner: StartRunner, tmp_path: Path) -> None:
    run_id, runner = start_runner("paused")
    runner.kill()
    runner.wait()
    stopped = [process for process in processes_of(run_id) if process.status() == psutil.STATUS_STOPPED]
    assert remove(found_of(run_id, tmp_path)).failed == []
    assert len(stopped) == 2
    assert processes_of(run_id) == []


def test_what_cannot_be_removed_is_said_and_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    folder = tmp_path / "chaoskit-kept"
    folder.write_text("a file where a folder should be")
    (tmp_path / "chaoskit-gone").mkdir()
    removal = remove([Leftover("kept", folder=folder), Leftover("gone", folder=tmp_path / "chaoskit-gone")])
    assert [str(folder) in sentence for sentence in removal.failed] == [True]
    assert removal.done == [f"removed folder of run gone: {tmp_path / 'chaoskit-gone'}"]
