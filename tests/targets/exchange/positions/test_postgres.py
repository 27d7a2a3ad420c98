"""The wrapper and its server: as root and not, and gone without a trace however the wrapper ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import psutil
import pytest
from exchange.storage import DATABASE, USER

from tests.support.exchange import ENVIRONMENT, SOURCE, Component, RunningExchange
from tests.support.sockets import free_port

GONE_WITHIN_S = 10.0


def shared_memory_segments() -> set[int]:
    """Ids of all System V segments of this machine."""
    return {int(line.split()[1]) for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def segment_of(data: Path) -> int:
    """The segment that the server in `data` says is its own."""
    return int((data / "postmaster.pid").read_text().splitlines()[6].split()[1])


def wait_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=GONE_WITHIN_S)
    assert not alive


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_wrapper_and_leaves_nothing_behind(how: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)  # as root: the server's user cannot enter it by itself
    running = RunningExchange(folder)
    wrapper = running.start("positions", "positions", f"--data={folder}/pg")
    try:
        running.wait_ready(wrapper)
        processes = psutil.Process(wrapper.process.pid).children(recursive=True)
        assert any("postgres" in process.name() for process in processes)
        segment = segment_of(folder / "pg")
        assert segment in shared_memory_segments()
        for process in processes:
            assert not any(mapped.path.startswith("/dev/shm") for mapped in process.memory_maps())
        if os.geteuid() == 0:
            assert all(process.uids().real != 0 for process in processes)
        wrapper.process.send_signal(how)
        wrapper.process.wait(GONE_WITHIN_S)
        wait_gone(processes)
    finally:
        wrapper.stop()
    assert segment not in shared_memory_segments()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_run_it(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    port, metrics_port = free_port(), free_port()
    # The capability only lets this user reach the interpreter, which may lie in root's home.
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_override"]
    command = [*become, "--ambient-caps=+dac_override", "--", sys.executable, "-m", "exchange.positions"]
    arguments = [f"--port={port}", f"--metrics-port={metrics_port}", f"--data={tmp_path}/pg"]
    process = subprocess.Popen([*command, *arguments], cwd=SOURCE, env=ENVIRONMENT)
    running = RunningExchange(tmp_path)
    (tmp_path / "user.log").touch()
    wrapper = Component("user", process, port, metrics_port)
    try:
        running.wait_ready(wrapper)
        assert wrapper.metrics()['resource_servers{resource="connections"}'] == 60
    finally:
        wrapper.stop()


async def query(port: int, *statements: str) -> object:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=USER, database=DATABASE, ssl=False, timeout=GONE_WITHIN_S
    )
    try:
        return [await connection.fetchval(statement) for statement in statements][-1]
    finally:
        await connection.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_keeps_the_data(how: signal.Signals, tmp_path: Path) -> None:
    running = RunningExchange(tmp_path)
    wrapper = running.start("positions", "positions", f"--data={tmp_path}/pg")
    running.wait_ready(wrapper)
    await query(wrapper.port, "INSERT INTO accounts VALUES (1, 4711, 0)")
    wrapper.process.send_signal(how)
    wrapper.process.wait(GONE_WITHIN_S)
    again = running.start("positions", "positions", f"--data={tmp_path}/pg", f"--port={wrapper.port}")
    try:
        running.wait_ready(again)
        assert await query(wrapper.port, "SELECT wallet FROM accounts WHERE account = 1") == 4711
    finally:
        again.stop()
    assert again.process.returncode == 0


def test_a_dead_server_ends_its_wrapper_with_its_last_words(tmp_path: Path) -> None:
    running = RunningExchange(tmp_path)
    wrapper = running.start("positions", "positions", f"--data={tmp_path}/pg")
    running.wait_ready(wrapper)
    postmaster = int((tmp_path / "pg" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGQUIT)
    assert wrapper.process.wait(GONE_WITHIN_S) == 1
    assert "PostgreSQL ended by itself" in (tmp_path / "positions.log").read_text()


def test_a_taken_port_is_an_error_with_the_servers_words(tmp_path: Path, exchange: RunningExchange) -> None:
    running = RunningExchange(tmp_path)
    taken = exchange.components["positions"].port
    wrapper = running.start("positions", "positions", f"--data={tmp_path}/pg", f"--port={taken}")
    started_s = time.monotonic()
    assert wrapper.process.wait(30) == 1
    assert time.monotonic() - started_s < 30
    assert "could not bind" in (tmp_path / "positions.log").read_text()
