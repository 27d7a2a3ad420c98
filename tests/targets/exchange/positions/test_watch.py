"""The resource `connections` against what clients know to have happened."""

import asyncio
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest
from exchange.gateway.pool import Pool

from tests.support.exchange import Component, RunningExchange


async def test_busy_time_is_what_the_queries_took(exchange: RunningExchange) -> None:
    positions = exchange.components["positions"]
    pool = Pool(("127.0.0.1", positions.port), 4, 2.0)
    pool.start()
    await pool.read_account(1, monotonic() + 10)
    before = positions.metrics()
    held_s = pool.busy.total_s(monotonic())
    await asyncio.gather(*(pool.read_account(1, monotonic() + 10) for _ in range(200)))
    after = positions.metrics()
    held_s = pool.busy.total_s(monotonic()) - held_s
    name = '{resource="connections"}'
    busy_s = after[f"resource_busy_seconds_total{name}"] - before[f"resource_busy_seconds_total{name}"]
    done = after[f"resource_completions_total{name}"] - before[f"resource_completions_total{name}"]
    assert done >= 200  # the engine's writes are among them
    assert busy_s >= 200 * 0.002
    assert busy_s <= 1.3 * held_s + 0.5
    await pool.close()


def test_counters_never_go_back(exchange: RunningExchange) -> None:
    positions = exchange.components["positions"]
    seen = [positions.metrics()['resource_busy_seconds_total{resource="connections"}'] for _ in range(20)]
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(seen[0], abs=5)


def test_metrics_come_back_and_count_on_after_postgres_has_crashed(tmp_path: Path) -> None:
    """A crash of one session makes PostgreSQL end all of them, and begin its statistics anew."""
    running = RunningExchange(tmp_path)
    positions = running.start("positions", "positions", f"--data={tmp_path}/pg")
    try:
        running.wait_ready(positions)
        before = positions.metrics()
        sessions = [one for one in psutil.Process(positions.process.pid).children(recursive=True) if is_session(one)]
        assert sessions
        sessions[0].kill()
        psutil.wait_procs(sessions, timeout=10)
        after = answer_within(positions, 10)
    finally:
        positions.stop()
    assert {name for name in after if after[name] < before[name] and name.startswith("resource_")} == set()


def is_session(process: psutil.Process) -> bool:
    return any("postgres" in part and "127.0.0.1" in part for part in process.cmdline())


def answer_within(component: Component, timeout_s: float) -> dict[str, float]:
    """Scrape until it answers."""
    deadline_s = monotonic() + timeout_s
    while True:
        try:
            return component.metrics()
        except OSError:
            if monotonic() > deadline_s:
                raise
            sleep(0.05)
