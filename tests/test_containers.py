"""The way to the engine: where it is, and its complaints as sentences."""

import socket
from typing import Any, cast

import docker
import pytest

from chaoskit import containers
from chaoskit.containers import Place


class Told:
    """An engine that only tells what it is."""

    def __init__(self, **facts: object) -> None:
        self.info = lambda: facts


HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("facts", "system", "place"),
    [
        ({"Name": HERE, "SecurityOptions": ["name=seccomp,profile=default"]}, "Linux", "here"),
        ({"Name": HERE, "SecurityOptions": ["name=rootless"]}, "Linux", "elsewhere"),
        ({"Name": "another-host", "OperatingSystem": "Debian"}, "Linux", "elsewhere"),
        ({"Name": "docker-desktop", "OperatingSystem": "Docker Desktop"}, "Linux", "virtual machine"),
        ({"Name": "lima", "OperatingSystem": "Alpine Linux", "SecurityOptions": None}, "Darwin", "virtual machine"),
    ],
)
def test_where_an_engine_is(facts: dict[str, Any], system: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    engine = cast("docker.DockerClient", Told(**facts))
    assert containers.place(engine) == place
    assert containers.shares_network(engine) == (place == "here")
