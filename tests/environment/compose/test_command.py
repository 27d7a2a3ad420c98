"""Compose as a program that may never answer: it is given its time, then ended."""

import asyncio
from pathlib import Path

import psutil
import pytest

from chaoskit.environment.compose.command import ComposeCommand, find_command
from chaoskit.errors import SetupFailed


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that is alone on PATH, writes its process id to a file, and says nothing for ten minutes."""
    program = tmp_path / "docker"
    program.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 600\n"
    )
    program.chmod(0o755)
    (tmp_path / "sleep").symlink_to("/bin/sleep")
    (tmp_path / "mv").symlink_to("/bin/mv")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    return tmp_path


def is_gone(folder: Path) -> bool:
    return not psutil.pid_exists(int((folder / "pid").read_text()))


async def test_a_docker_that_does_not_answer_has_no_compose(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaoskit.environment.compose.command.VERSION_TIMEOUT_S", 1.0)
    with pytest.raises(SetupFailed, match="neither `docker compose` nor `docker-compose` is here"):
        await find_command()
    assert is_gone(silent)


async def test_a_search_that_is_cancelled_leaves_no_process(silent: Path) -> None:
    finding = asyncio.create_task(find_command())
    async with asyncio.timeout(20):
        while not (silent / "pid").exists():  # noqa: ASYNC110 - a program tells nobody
            await asyncio.sleep(0.01)
    finding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finding
    assert is_gone(silent)


async def test_a_command_has_a_deadline(silent: Path) -> None:
    command = ComposeCommand(["docker", "compose"], "shop", [str(silent / "compose.yaml")], ())
    with pytest.raises(SetupFailed, match=r"`docker compose up front store` has not ended after 1s"):
        await command.run(silent / "compose.yaml", silent / "log", 1.0, "up", "front", "store")
    assert is_gone(silent)
