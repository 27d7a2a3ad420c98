"""The program that lets a dead run's components go on, run as the lease runs it."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chaoskit.environment import release


class BrokenEngine(BaseHTTPRequestHandler):
    """An engine that answers pings and fails at all else."""

    def do_GET(self) -> None:
        well = self.path.endswith(("/_ping", "/version"))
        body = b'{"ApiVersion": "1.41", "Version": "20.10"}' if well else b'{"message": "the disk is full"}'
        self.send_response(200 if well else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def broken_engine() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), BrokenEngine) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def released(engine: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DOCKER_HOST": engine}
    command = release.command("no-such-run")
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_what_could_not_be_released_is_said(broken_engine: str) -> None:
    said = released(broken_engine)
    assert said.returncode == 1
    assert "containers cannot go on" in said.stderr
    assert "the disk is full" in said.stderr


def test_without_an_engine_there_is_nothing_to_release() -> None:
    said = released("tcp://127.0.0.1:1")
    assert (said.returncode, said.stderr) == (0, "")
