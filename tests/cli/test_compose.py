"""A compose target from the command line: however it ends, nothing of it stays in the engine."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import docker
import pytest

from chaoskit import containers
from tests.cli.conftest import Call, Start
from tests.environment.compose.conftest import base_image, everything_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
TARGET = str(Path(__file__).parents[1] / "support" / "bazaar" / "target.yaml")


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BASE", base_image())
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def run_behind(said: dict[str, Any], engine: docker.DockerClient) -> str:
    """Return the id of the run whose front is published where the command said."""
    number = said["ports"]["front"]["http"].rpartition(":")[2]
    (front,) = [
        one
        for one in engine.containers.list(filters={"label": containers.RUN_LABEL})
        if number in [bound["HostPort"] for ports in one.ports.values() for bound in ports or ()]
    ]
    return str(front.labels[containers.RUN_LABEL])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_up_leaves_nothing(chaoskit: Call, started: Start, tmp_path: Path, number: signal.Signals) -> None:
    engine = containers.connect()
    running = started("up", TARGET, "--json")
    assert running.stdout is not None
    said = json.loads(running.stdout.readline())
    with urllib.request.urlopen(said["entries"]["client->front"]) as answer:
        assert answer.read() == b"goods"
    run_id = run_behind(said, engine)
    running.send_signal(number)
    running.wait(timeout=60)
    if number is signal.SIGKILL:
        assert len(everything_of(engine, run_id)) == 5  # two containers, their network and that of the link, a volume
        cleaned = chaoskit("clean").stdout
        assert cleaned.count(f"of run {run_id}") >= 5
    assert everything_of(engine, run_id) == []
    assert list(tmp_path.iterdir()) == []
    engine.close()
