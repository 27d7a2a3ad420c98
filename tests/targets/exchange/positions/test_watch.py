"""The resource `connections` against what clients know to have happened."""

import asyncio
from time import monotonic

import pytest
from exchange.gateway.pool import Pool

from tests.support.exchange import RunningExchange


async def test_busy_time_is_what_the_queries_took(exchange: RunningExchange) -> None:
    positions = exchange.components["positions"]
    pool = Pool(("127.0.0.1", positions.port), 4)
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
