"""The bazaar, two tiny services in a compose file, on a real engine, where nothing of a run may stay after it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from chaoskit import containers
from chaoskit import plan as planning
from chaoskit.environment import Workspace
from chaoskit.plan.model import Plan
from chaoskit.scenario import load_target

BAZAAR = Path(__file__).parents[2] / "support" / "bazaar"


def base_image() -> str:
    """Return the image with Python that the machine's builds use, as `CHAOSKIT_BUILD_ARGS` names it."""
    arguments = dict(pair.split("=", 1) for pair in os.environ.get("CHAOSKIT_BUILD_ARGS", "").split())
    return arguments.get("BASE", "python:3.11-slim")


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = containers.connect()
    yield client
    client.close()


@pytest.fixture
def bazaar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the bazaar's folder, to change."""
    monkeypatch.setenv("BASE", base_image())
    return Path(shutil.copytree(BAZAAR, tmp_path / "bazaar"))


@pytest.fixture
def workspace(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Workspace]:
    """A workspace whose run must have left nothing in the engine when the test ends."""
    workspace = Workspace.create(os.urandom(4).hex(), tmp_path)
    yield workspace
    assert everything_of(engine, workspace.run_id) == []


def everything_of(engine: docker.DockerClient, run_id: str) -> list[str]:
    """Return the names of all containers, networks and volumes of a run."""
    filters = {"label": f"{containers.RUN_LABEL}={run_id}"}
    found = [
        *engine.containers.list(all=True, filters=filters),
        *engine.networks.list(filters=filters),
        *engine.volumes.list(filters=filters),
    ]
    return [one.name for one in found]


def plan_of(folder: Path) -> Plan:
    """Return the plan of the target in `folder`, alone."""
    return planning.build(load_target(str(folder / "target.yaml")))
