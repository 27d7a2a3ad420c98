"""The command line as people call it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Call = Callable[..., "subprocess.CompletedProcess[str]"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "chaoskit", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", "CHAOSKIT_TOXIPROXY": "embedded"}


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
def started(tmp_path: Path) -> "Callable[..., subprocess.Popen[str]]":
    """Start a command that goes on; the test ends it."""

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command(*arguments),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
