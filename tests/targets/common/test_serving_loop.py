import asyncio
from functools import partial
from time import monotonic

import pytest
from service.serving_loop import ServingLoop


async def play(loop: ServingLoop, count: int) -> list[float]:
    """Submit `count` commands at once and wait for all; returns when each was done."""
    done_s: list[float] = []
    everything = asyncio.Event()

    def work() -> None:
        done_s.append(monotonic())
        if len(done_s) == count:
            everything.set()

    for _ in range(count):
        assert loop.submit(work)
    await everything.wait()
    return done_s


async def test_throughput_is_exact_although_timers_are_coarse() -> None:
    loop = ServingLoop("matching", service_s=0.0002, queue_limit=1000)
    started_s = monotonic()
    done_s = await play(loop, 1000)
    elapsed_s = done_s[-1] - started_s
    assert elapsed_s >= 0.2  # never faster than the model; a busy machine may be slower
    assert loop.server.busy.total_s(monotonic()) == pytest.approx(0.2)
    assert loop.server.completions == loop.queue.completions == 1000
    # The i-th command waits for the i services before it, less the time that submitting took.
    assert loop.server.waiting.total_s(monotonic()) == pytest.approx(999 * 1000 / 2 * 0.0002, abs=20)
    assert loop.queue.busy.holders == 0


async def test_a_full_queue_refuses_and_a_reserve_is_kept_for_what_is_shed_last() -> None:
    loop = ServingLoop("matching", service_s=60.0, queue_limit=2)
    assert [loop.submit(lambda: None) for _ in range(4)] == [True, True, True, False]  # one is being served
    assert loop.submit(lambda: None, reserve=1)
    assert not loop.submit(lambda: None, reserve=1)
    assert loop.queue.rejections["full"] == 2
    assert loop.queue.busy.holders == 3
    assert loop.server.busy.holders == 1


async def test_without_a_service_time_commands_run_at_once() -> None:
    loop = ServingLoop("matching", service_s=0.0, queue_limit=1)
    seen: list[int] = []
    for number in range(5):
        assert loop.submit(partial(seen.append, number))
    assert seen == [0, 1, 2, 3, 4]


async def test_a_bad_command_does_not_stop_those_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    loop = ServingLoop("matching", service_s=0.001, queue_limit=10)
    loop.submit(lambda: next(iter(())))
    assert len(await play(loop, 3)) == 3
    assert "a command failed in the matching" in caplog.text


async def test_a_scrape_completes_what_is_done_so_that_counters_never_run_ahead() -> None:
    loop = ServingLoop("matching", service_s=0.01, queue_limit=10)
    loop.submit(lambda: None)
    loop.server.settle(monotonic() + 1.0)
    assert loop.server.completions == 1
    assert loop.server.busy.total_s(monotonic() + 2.0) == pytest.approx(0.01)
