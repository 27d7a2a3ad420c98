"""The command line as people call it: a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Call = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "chaoskit", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", "CHAOSKIT_TOXIPROXY": "embedded"}


def until_line(running: "subprocess.Popen[str]", part: str) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        if part in line:
            return
    pytest.fail(f"{part!r} was never said")


@pytest.fixture
def chaoskit(tmp_path: Path) -> Call:
    """Run one command in an empty folder and return what it said."""

    def call(*arguments: str, timeout_s: float = 90) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*arguments),
            check=False,
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    return call


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Start a command that goes on; what a failing test leaves is ended in order, so that it ends its own children."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
