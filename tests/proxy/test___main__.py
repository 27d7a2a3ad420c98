"""The program: its ready line, its port file, its exit codes, its end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sockets import listening, port_of
from tests.support.toxiproxy import ToxiproxyServer

LIMIT_S = 10
COMMAND = [sys.executable, "-m", "chaoskit.proxy"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ready_line_port_file_and_a_clean_end(tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "port"
    command = [*COMMAND, "--port", "0", "--seed", "3", "--port-file", str(port_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        ready = child.stdout.readline()
        port = int(port_file.read_text())
        assert ready == f"chaoskit proxy: listening on http://127.0.0.1:{port} (seed 3)\n"
        server = ToxiproxyServer("embedded", port, child.pid)
        server.create("web", 1)
        child.send_signal(number)
        assert child.wait(LIMIT_S) == 0
        assert child.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--config", "/no/such/file"], 2, "cannot be read"),
        (["--port", "99999"], 5, "cannot listen"),
        (["--port", "x"], 2, "invalid int value"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, message: str) -> None:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == code
    assert message in done.stderr


def test_a_port_in_use_is_a_failed_set_up() -> None:
    with listening() as taken:
        command = [*COMMAND, "--port", str(port_of(taken))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 5
    assert "choose another --port" in done.stderr
