import asyncio
from time import monotonic

import pytest
from service.waiting_line import ControlledDelay
from service.workers import COLD_TIMES, NoWorker, Replica, Workers


async def handle(workers: Workers, within_s: float = 30.0) -> float:
    """One request that needs nothing but a worker; returns when it was answered."""
    rest_s = workers.release(await workers.acquire(monotonic() + within_s), blocked_s=0.0)
    if rest_s:
        await workers.rest(rest_s)
    return monotonic()


async def test_throughput_of_the_slots_is_exact_although_timers_are_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that ticks once a millisecond, two slots of 0.3 ms handle 6 or 7 requests per tick."""
    clock_s = 1000.0
    monkeypatch.setattr("service.workers.monotonic", lambda: clock_s)
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
    held = await workers.acquire(monotonic() + 1)
    assert workers.release(held, blocked_s=5.0) == pytest.approx(15.0, abs=0.5)


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


async def test_slots_come_with_a_replica_and_leave_with_it() -> None:
    workers = Workers(1, queue_limit=8, service_s=0.0)
    first = await workers.acquire(monotonic() + 9)
    waiting = [asyncio.ensure_future(workers.acquire(monotonic() + 9)) for _ in range(3)]
    await asyncio.sleep(0)
    replica = Replica(2)
    workers.join(replica, monotonic())
    await asyncio.wait(waiting[:2])
    assert workers.servers == workers.busy.holders == 3
    assert workers.waiting.holders == 1

    workers.leave(replica)
    assert workers.servers == 1
    for request in waiting[:2]:
        workers.release(request.result(), blocked_s=0.0)  # its slots are gone: nobody gets them
    await asyncio.sleep(0)
    assert not waiting[2].done()
    workers.release(first, blocked_s=0.0)
    workers.release(await waiting[2], blocked_s=0.0)
    assert workers.busy.holders == workers.waiting.holders == 0


async def test_an_idle_replica_leaves_at_once_and_requests_go_round_those_that_stay() -> None:
    workers = Workers(6, queue_limit=0, service_s=0.0)
    first, second, third = workers.split(3)
    taken = [(await workers.acquire(monotonic() + 1))[1] for _ in range(3)]
    assert taken == [first, second, third]
    workers.leave(third)
    assert [(await workers.acquire(monotonic() + 1))[1] for _ in range(2)] == [first, second]
    with pytest.raises(NoWorker):
        await workers.acquire(monotonic() + 1)


@pytest.mark.parametrize(
    ("age_s", "times"), [(0.0, COLD_TIMES), (5.0, 2.5), (10.0, 1.0), (99.0, 1.0), (-1.0, COLD_TIMES)]
)
def test_a_cold_replica_gets_faster(age_s: float, times: float) -> None:
    assert Replica(1, serves_s=50.0, warm_up_s=10.0).times(50.0 + age_s) == times


async def test_a_cold_replica_holds_its_slots_for_longer() -> None:
    workers = Workers(1, queue_limit=1, service_s=0.5)
    workers.leave(workers.split(1)[0])
    workers.join(Replica(1, monotonic(), warm_up_s=1000.0), monotonic())
    assert workers.release(await workers.acquire(monotonic() + 1), blocked_s=0.0) == pytest.approx(2.0, abs=0.1)


async def test_controlled_delay_sheds_by_time_and_what_lowers_risk_last() -> None:
    workers = Workers(1, queue_limit=1000, service_s=0.0, line=ControlledDelay())
    held = await workers.acquire(monotonic() + 9)
    begun_s = monotonic()
    exempt = asyncio.ensure_future(workers.acquire(begun_s + 9, workers.reserve))
    with pytest.raises(NoWorker):
        await workers.acquire(begun_s + 9)  # N: the queue had been empty
    assert 0.1 <= monotonic() - begun_s < 5
    await asyncio.sleep(begun_s + 0.11 - monotonic())
    newcomers = [asyncio.ensure_future(workers.acquire(begun_s + 9)) for _ in range(3)]
    await asyncio.gather(*newcomers, return_exceptions=True)
    assert all(isinstance(request.exception(), NoWorker) for request in newcomers)
    assert workers.rejections == {"codel": 4}
    workers.release(held, blocked_s=0.0)
    assert (await exempt)[1] is held[1]
