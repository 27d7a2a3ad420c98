"""The way to the engine: where it is, and its complaints as sentences."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import docker
import pytest

from chaoskit import containers
from chaoskit.containers import Place
from chaoskit.errors import SetupFailed


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


@pytest.fixture
def broken_engine() -> Iterator[str]:
    """The address of an engine that goes away in the middle of each answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65_536)
                caller.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_an_engine_that_goes_away_in_mid_answer_is_a_sentence(broken_engine: str) -> None:
    client = docker.APIClient(broken_engine, version="1.41")
    said = "the image shop cannot be pulled: it went away in the middle of its answer"
    with pytest.raises(SetupFailed, match=f"^{said}$"), containers.saying("the image shop cannot be pulled"):
        list(client.pull("shop", stream=True, decode=True))
    client.close()


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The host of the docker context that is in use, as `docker context use` leaves it on the disk."""
    host = f"unix://{tmp_path}/of-the-context.sock"
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "elsewhere"}))
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"elsewhere").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "elsewhere", "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    return host


def test_the_docker_context_says_where_the_engine_is(context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert containers.environment() == {"DOCKER_HOST": context}
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert containers.environment() == {"DOCKER_HOST": "tcp://127.0.0.1:9"}


@pytest.fixture
def engine_socket() -> str:
    return containers.environment()["DOCKER_HOST"].removeprefix("unix://")


@pytest.mark.docker
def test_an_engine_that_a_context_names_answers(engine_socket: str, context: str) -> None:
    assert not containers.answers()
    Path(context.removeprefix("unix://")).symlink_to(engine_socket)
    assert containers.answers()


def test_a_docker_context_that_does_not_exist_is_named(context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "no-such")
    with pytest.raises(SetupFailed, match="no Docker engine answers: there is no docker context 'no-such'"):
        containers.connect()
