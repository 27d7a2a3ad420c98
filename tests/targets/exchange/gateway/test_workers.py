import asyncio
from time import monotonic

import pytest
from exchange.gateway.workers import NoWorker, Workers


async def handle(workers: Workers, within_s: float = 30.0) -> float:
    """One request that needs nothing but a worker; returns when it was answered."""
    rest_s = workers.release(await workers.acquire(monotonic() + within_s), blocked_s=0.0)
    if rest_s:
        await workers.rest(rest_s)
    return monotonic()


async def test_throughput_of_the_slots_is_exact_although_timers_are_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that ticks once a millisecond, two slots of 0.3 ms handle 6 or 7 requests per tick."""
    clock_s = 1000.0
    monkeypatch.setattr("exchange.gateway.workers.monotonic", lambda: clock_s)
    workers = Workers(2, queue_limit=1000, service_s=0.0003)

    async def one() -> None:
        workers.release(await workers.acquire(clock_s + 30.0), blocked_s=0.0)

    requests = [asyncio.ensure_future(one()) for _ in range(1000)]
    ticks = 0
    while not all(request.done() for request in requests):
        for _ in range(20):  # each turn of the event loop lets the slots that were freed be used again
            await asyncio.sleep(0)
        clock_s += 0.001
        ticks += 1
        workers.settle(clock_s)
    assert ticks == pytest.approx(1000 * 0.3 / 2, abs=2)
    workers.settle(clock_s + 1)
    assert workers.completions == workers.arrivals == 1000
    assert workers.busy.holders == workers.waiting.holders == 0
    assert workers.busy.total_s(clock_s + 1) == pytest.approx(1000 * 0.0003)


async def test_a_long_service_time_delays_the_answer() -> None:
    workers = Workers(1, queue_limit=1, service_s=0.05)
    started_s = monotonic()
    first, second = await asyncio.gather(handle(workers), handle(workers))
    assert first - started_s >= 0.049
    assert second - started_s >= 0.099


async def test_time_blocked_is_held_besides_the_service_time() -> None:
    workers = Workers(1, queue_limit=1, service_s=10.0)
    started_s = await workers.acquire(monotonic() + 1)
    assert workers.release(started_s, blocked_s=5.0) == pytest.approx(15.0, abs=0.5)


async def test_a_full_queue_and_a_passed_deadline_refuse() -> None:
    workers = Workers(1, queue_limit=1, service_s=0.0)
    held = await workers.acquire(monotonic() + 9)
    late = asyncio.ensure_future(workers.acquire(monotonic() + 0.02))
    await asyncio.sleep(0)
    with pytest.raises(NoWorker):
        await workers.acquire(monotonic() + 9)
    favoured = asyncio.ensure_future(workers.acquire(monotonic() + 9, reserve=1))
    with pytest.raises(NoWorker):
        await late
    workers.release(held, blocked_s=0.0)
    await favoured
    assert workers.rejections == {"full": 1, "timeout": 1}
    assert workers.waiting.holders == 0
    assert workers.busy.holders == 1
