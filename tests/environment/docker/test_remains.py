"""Nothing of a run stays in the engine, however its runner ends."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import docker
import pytest

from chaoskit.environment import leftovers
from chaoskit.environment.docker import remains
from chaoskit.environment.docker.remains import Remnant
from chaoskit.environment.identity import Runner
from chaoskit.environment.workspace import RUNNER_FILE, Workspace

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[3]


async def started(target: Path, temporary: Path) -> asyncio.subprocess.Process:
    """Start `chaoskit up`, and return it once the target is up."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chaoskit", "up", str(target), "--driver", "docker", "--json"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert b'"entries"' in line or line.strip() == b"{", (await process.communicate())[1].decode()
    return process


def in_engine(engine: docker.DockerClient, process: asyncio.subprocess.Process) -> list[Remnant]:
    """Return what is there of the run that `process` plays."""
    return [one for one in remains.find(engine) if f'"process_id": {process.pid},' in one.runner]


async def test_ctrl_c_leaves_nothing(target: Path, tmp_path: Path, engine: docker.DockerClient) -> None:
    process = await started(target, tmp_path)
    assert {one.kind for one in in_engine(engine, process)} == {"container", "network", "volume"}
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert in_engine(engine, process) == []


async def test_what_a_killed_runner_leaves_is_found_and_removed(
    target: Path, tmp_path: Path, engine: docker.DockerClient
) -> None:
    process = await started(target, tmp_path)
    (run_id,) = {one.run_id for one in in_engine(engine, process)}
    assert [one for one in leftovers.find(tmp_path) if one.run_id == run_id] == []
    process.kill()
    await process.communicate()
    found = [one for one in leftovers.find(tmp_path) if one.run_id == run_id]
    assert {one.remnant.kind for one in found if one.remnant} == {"container", "network", "volume"}
    removal = await asyncio.to_thread(leftovers.remove, found)
    assert removal.failed == []
    assert f"removed container chaoskit-{run_id}.front of run {run_id}" in removal.done
    assert in_engine(engine, process) == []
    assert [one for one in leftovers.find(tmp_path) if one.run_id == run_id] == []


def test_things_whose_runner_is_not_told_are_left_alone(engine: docker.DockerClient) -> None:
    run_id = os.urandom(4).hex()
    volume = engine.volumes.create(f"chaoskit-{run_id}", labels={"chaoskit.run": run_id})
    try:
        assert len(remains.find(engine, run_id)) == 1
        assert [one for one in leftovers.find() if one.run_id == run_id] == []
    finally:
        volume.remove()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, where it cannot connect
def test_without_an_engine_the_rest_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    left = Workspace.create(os.urandom(4).hex(), tmp_path)
    (left.folder / RUNNER_FILE).write_text(str(replace(Runner.current(), start_ticks=0)))
    assert [one.folder for one in leftovers.find(tmp_path) if one.run_id == left.run_id] == [left.folder]


def test_a_container_without_a_name_goes_by_its_id() -> None:
    class Engine:
        """Tells of a container as engines do while it is being removed."""

        def __init__(self) -> None:
            self.api = self

        def containers(self, **_: object) -> list[dict[str, object]]:
            return [{"Id": "0123abcd", "Names": None, "Labels": {"chaoskit.run": "a-run"}}]

        def networks(self, **_: object) -> list[dict[str, object]]:
            return []

        def volumes(self, **_: object) -> dict[str, None]:
            return {"Volumes": None}

    (found,) = remains.find(cast("docker.DockerClient", Engine()))
    assert str(found) == "container 0123abcd of run a-run"
