"""The pool against the real database, through a relay that breaks."""

import asyncio
import contextlib
from time import monotonic

import pytest
from exchange.failures import Refusal
from exchange.gateway.pool import LINK, Pool

from tests.support.exchange import RunningExchange
from tests.support.relay import relay_to

RECOVERED_WITHIN_S = 20.0


async def until_served(pool: Pool) -> int:
    """Read until a read succeeds; returns how many were refused before."""
    deadline_s = monotonic() + RECOVERED_WITHIN_S
    refused = 0
    while True:
        try:
            assert await pool.read_account(1, monotonic() + 0.5)
        except Refusal:
            refused += 1
            assert monotonic() < deadline_s, "the pool never recovered"
        else:
            return refused


async def started(port: int, size: int, query_timeout_s: float = 0.3) -> Pool:
    """A pool all of whose connections are open."""
    pool = Pool(("127.0.0.1", port), size, query_timeout_s)
    pool.start()
    await until_open(pool, size)
    return pool


async def until_open(pool: Pool, size: int) -> None:
    """Wait until all connections are open."""
    deadline_s = monotonic() + RECOVERED_WITHIN_S
    while pool.open < size:
        assert monotonic() < deadline_s, "the pool never opened"
        await asyncio.sleep(0.01)


async def test_reads_share_the_connections_and_are_counted(exchange: RunningExchange) -> None:
    pool = await started(exchange.components["positions"].port, 3)
    rows = await asyncio.gather(*(pool.read_account(account, monotonic() + 10) for account in range(30)))
    assert all(len(read) == 3 for read in rows)
    assert pool.arrivals == pool.completions == 30
    assert pool.open == 3
    now_s = monotonic()
    assert pool.busy.total_s(now_s) >= 30 * 0.002  # each read holds a connection for the modelled query time
    assert pool.blocked[LINK].total_s(now_s) == pytest.approx(pool.busy.total_s(now_s))
    assert pool.busy.holders == pool.waiting.holders == 0
    await pool.close()


async def test_a_cut_link_fails_at_once_and_mends(exchange: RunningExchange) -> None:
    async with relay_to(exchange.components["positions"].port) as relay:
        pool = await started(relay.port, 4)
        reads = [asyncio.ensure_future(pool.read_account(1, monotonic() + 30)) for _ in range(4)]
        await asyncio.sleep(0)
        relay.cut()
        answers = await asyncio.gather(*reads, return_exceptions=True)
        assert [answer.code for answer in answers if isinstance(answer, Refusal)] == [-1007] * 4
        with pytest.raises(Refusal):
            await pool.read_account(1, monotonic() + 0.1)
        relay.heal()
        await until_served(pool)
        await until_open(pool, 4)
        assert pool.busy.holders == pool.waiting.holders == 0
        await pool.close()


async def test_a_place_that_connects_again_is_busy_and_the_counters_never_fall(exchange: RunningExchange) -> None:
    """A pool of 2 with twenty readers behind a link that is cut again and again is never half idle."""
    async with relay_to(exchange.components["positions"].port) as relay:
        pool = await started(relay.port, 2)
        begun_s = monotonic()
        seen_s = [pool.busy.total_s(begun_s)]

        async def read_on() -> None:
            while monotonic() < begun_s + 1.0:
                with contextlib.suppress(Refusal):
                    await pool.read_account(1, monotonic() + 0.2)

        async def cut_and_watch() -> None:
            while monotonic() < begun_s + 1.0:
                relay.cut()
                relay.heal()
                for _ in range(10):
                    await asyncio.sleep(0.01)
                    seen_s.append(pool.busy.total_s(monotonic()))

        await asyncio.gather(cut_and_watch(), *(read_on() for _ in range(20)))
        elapsed_s = monotonic() - begun_s
        assert seen_s == sorted(seen_s)
        assert pool.busy.total_s(monotonic()) == pytest.approx(2 * elapsed_s, rel=0.2)
        assert pool.blocked[LINK].total_s(monotonic()) == pytest.approx(pool.busy.total_s(monotonic()), rel=0.01)
        await pool.close()


async def test_a_black_hole_ends_each_read_at_its_deadline_and_leaks_nothing(
    exchange: RunningExchange,
) -> None:
    async with relay_to(exchange.components["positions"].port) as relay:
        pool = await started(relay.port, 2)
        relay.black_hole()
        started_s = monotonic()
        reads = (pool.read_account(1, started_s + 0.3) for _ in range(10))
        answers = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(answer, Refusal) and answer.code == -1007 for answer in answers)
        assert monotonic() - started_s < 5
        assert pool.rejections["timeout"] == 2
        assert pool.rejections["acquire_timeout"] == 8
        relay.heal()
        await until_served(pool)
        await until_open(pool, 2)
        assert pool.busy.holders == pool.waiting.holders == 0
        await pool.close()


async def test_a_query_under_way_outlives_the_wait_for_its_connection(exchange: RunningExchange) -> None:
    """Readers that come to their connection late do not cost the pool its connections."""
    pool = await started(exchange.components["positions"].port, 1)
    answers = await asyncio.gather(
        *(pool.read_account(1, monotonic() + 0.03) for _ in range(100)), return_exceptions=True
    )
    served = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert 1 < len(served) < 100
    assert pool.completions == len(served)
    assert dict(pool.rejections) == {"acquire_timeout": 100 - len(served)}
    assert pool.open == 1
    await pool.close()


async def test_callers_that_go_away_leave_no_trace(exchange: RunningExchange) -> None:
    pool = await started(exchange.components["positions"].port, 1)
    for steps in range(12):
        reads = [asyncio.ensure_future(pool.read_account(account, monotonic() + 5)) for account in range(4)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for read in reads[:3]:
            read.cancel()
        assert await reads[3]
        await asyncio.gather(*reads, return_exceptions=True)
        await until_open(pool, 1)
    assert pool.busy.holders == pool.waiting.holders == 0
    await pool.close()


async def test_connections_are_added_and_given_up_while_it_works(exchange: RunningExchange) -> None:
    pool = await started(exchange.components["positions"].port, 1)
    reads = [asyncio.ensure_future(pool.read_account(account, monotonic() + 20)) for account in range(40)]
    pool.grow(3)
    assert pool.servers == 1
    await until_open(pool, 4)
    assert pool.servers == 4
    pool.shrink(3)
    assert pool.servers == 1
    await asyncio.gather(*reads)
    assert pool.open == 1
    assert pool.busy.holders == pool.waiting.holders == 0
    pool.shrink(1)
    assert pool.open == 0
    pool.grow(2)
    await until_open(pool, 2)
    assert await pool.read_account(1, monotonic() + 5)
    await pool.close()


async def test_connections_that_cannot_be_opened_are_no_servers_and_go_first(exchange: RunningExchange) -> None:
    async with relay_to(exchange.components["positions"].port) as relay:
        pool = await started(relay.port, 1)
        relay.cut()
        pool.grow(3)
        pool.shrink(2)
        assert pool.servers == 1
        relay.heal()
        await until_served(pool)
        await until_open(pool, 2)
        assert pool.servers == 2
        await pool.close()


async def test_a_place_that_was_given_up_while_held_is_kept_when_it_is_wanted_again(exchange: RunningExchange) -> None:
    pool = await started(exchange.components["positions"].port, 1)
    read = asyncio.ensure_future(pool.read_account(1, monotonic() + 5))
    await asyncio.sleep(0)
    pool.shrink(1)
    pool.grow(1)
    await read
    assert pool.open == pool.servers == 1
    assert pool.busy.holders == 0
    await pool.close()
