"""Request workers: slots with a bounded queue before them and a modelled service time on a virtual clock.

A slot is held while its request waits for the database or the engine, and for `service_s` of its own work
besides. That work is charged to the slot, not slept: the slot is free again at `start + blocked + service_s`,
even if the real handling took less. A waiting request that a coarse timer wakes late still starts at the
slot's virtual free time, so the throughput of the slots is exact. Only a rest of a timer's grain or more
delays the answer itself.
"""

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass
from time import monotonic

from exchange.occupancy import Resource

TICK_S = 0.001
LATENESS_S = 2 * TICK_S  # how late a wake-up may be and not be held against the slot


class NoWorker(Exception):
    """The queue is full or the time is over: nothing was done."""


@dataclass(slots=True, eq=False)
class _Waiter:
    arrived_s: float
    started_s: "asyncio.Future[float]"


class Workers(Resource):
    """The slots. Call from the event loop's thread only."""

    def __init__(self, slots: int, queue_limit: int, service_s: float) -> None:
        super().__init__("workers", slots, queue_limit)
        self._service_s = service_s
        self._idle = slots
        # Slots that still work, virtually: a heap of (free at, started).
        self._cooling: list[tuple[float, float]] = []
        self._waiters: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._limit = queue_limit
        self.reserve = queue_limit // 10 + 1  # places beyond the limit for what the venue sheds last

    async def acquire(self, deadline_s: float, reserve: int = 0) -> float:
        """Take a slot, waiting until monotonic `deadline_s` at most; returns since when it is held.

        `reserve` is how many places beyond the queue's limit this request may use. Raises `NoWorker`
        where the queue is full or the deadline passes.
        """
        now_s = monotonic()
        self.arrivals += 1
        if self._cooling:
            self.settle(now_s)
        if self._idle:
            self._idle -= 1
            self.busy.enter(now_s)
            return now_s
        if len(self._waiters) >= self._limit + reserve:
            self.rejections["full"] += 1
            raise NoWorker
        return await self._wait(now_s, deadline_s)

    def release(self, started_s: float, blocked_s: float) -> float:
        """Give back a slot held since `started_s` that was blocked by something else for `blocked_s` of that.

        Returns how many seconds its answer is still being worked on (0: answer now).
        """
        now_s = monotonic()
        self.completions += 1
        free_s = started_s + blocked_s + self._service_s
        if free_s <= now_s:
            self._free(started_s, max(free_s, now_s - LATENESS_S))
            return 0.0
        heapq.heappush(self._cooling, (free_s, started_s))
        if self._waiters:
            self._wake_at(self._cooling[0][0], now_s)
        rest_s = free_s - now_s
        return rest_s if rest_s >= TICK_S else 0.0

    async def rest(self, rest_s: float) -> None:
        """Wait out the work that `release` said remains."""
        await asyncio.sleep(rest_s)

    def settle(self, now_s: float) -> None:
        """Free the slots whose virtual work is done by `now_s`."""
        while self._cooling and self._cooling[0][0] <= now_s:
            free_s, started_s = heapq.heappop(self._cooling)
            self._free(started_s, free_s)

    def _free(self, started_s: float, at_s: float) -> None:
        """A slot is free at `at_s`: the oldest waiter gets it, and starts then."""
        self.busy.leave(started_s, at_s)
        while self._waiters:
            waiter = self._waiters.popleft()
            if waiter.started_s.done():
                continue
            start_s = max(at_s, waiter.arrived_s)
            self.waiting.leave(waiter.arrived_s, start_s)
            self.busy.enter(start_s)
            waiter.started_s.set_result(start_s)
            return
        self._idle += 1

    async def _wait(self, now_s: float, deadline_s: float) -> float:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(now_s, loop.create_future())
        self._waiters.append(waiter)
        self.waiting.enter(now_s)
        if self._cooling:
            self._wake_at(self._cooling[0][0], now_s)
        expiry = loop.call_later(deadline_s - now_s, self._expire, waiter)
        try:
            return await waiter.started_s
        finally:
            expiry.cancel()

    def _expire(self, waiter: _Waiter) -> None:
        if not waiter.started_s.done():
            self._waiters.remove(waiter)
            self.waiting.leave(waiter.arrived_s, monotonic())
            self.rejections["timeout"] += 1
            waiter.started_s.set_exception(NoWorker())

    def _wake_at(self, free_s: float, now_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(free_s - now_s, TICK_S), self._wake)

    def _wake(self) -> None:
        self._timer = None
        now_s = monotonic()
        self.settle(now_s)
        if self._waiters and self._cooling:
            self._wake_at(self._cooling[0][0], now_s)
