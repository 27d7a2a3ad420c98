"""Request workers: slots with a bounded queue before them and a modelled service time on a virtual clock.

A slot is held while its request waits for the database or the engine, and for `service_s` of its own work
besides. That work is charged to the slot, not slept: the slot is free again at `start + blocked + service_s`,
even if the real handling took less. A waiting request that a coarse timer wakes late still starts at the
slot's virtual free time, so the throughput of the slots is exact. Only a rest of a timer's grain or more
delays the answer itself.

Slots belong to replicas, which may come and go; one that is cold works more slowly.
"""

import asyncio
import heapq
from collections import deque
from itertools import count
from time import monotonic
from typing import Final

from service.occupancy import Resource
from service.waiting_line import Waiter, WaitingLine

TICK_S = 0.001
LATENESS_S = 2 * TICK_S  # how late a wake-up may be and not be held against the slot
COLD_TIMES: Final = 4.0
"""A replica's first request takes this many times its own work: caches, connections and code are cold."""

_numbers = count()


class NoWorker(Exception):
    """The queue is full or the time is over: nothing was done."""


class Replica:
    """`slots` slots that serve since monotonic `serves_s`, and are warm `warm_up_s` later."""

    __slots__ = ("gone", "number", "slots", "warm_at_s", "warm_up_s")

    def __init__(self, slots: int, serves_s: float = 0.0, warm_up_s: float = 0.0) -> None:
        self.number = next(_numbers)
        self.slots = slots
        self.warm_up_s = warm_up_s
        self.warm_at_s = serves_s + warm_up_s
        self.gone = False

    def times(self, now_s: float) -> float:
        """How many times as long as a warm one's its own work takes, of a request that it starts at `now_s`."""
        left_s = self.warm_at_s - now_s
        return 1.0 + (COLD_TIMES - 1.0) * min(1.0, left_s / self.warm_up_s) if left_s > 0 else 1.0


Held = tuple[float, Replica]
"""A slot that is held: since when, and whose it is."""


class Workers(Resource):
    """The slots. Call from the event loop's thread only."""

    def __init__(self, slots: int, queue_limit: int, service_s: float, line: WaitingLine | None = None) -> None:
        super().__init__("workers", slots, queue_limit)
        self._service_s = service_s
        self._idle = deque([Replica(slots)] * slots)  # a place for each idle slot, in turn
        # Slots that still work, virtually: a heap of (free at, started, the replica's number, the replica).
        self._cooling: list[tuple[float, float, int, Replica]] = []
        self._waiters = WaitingLine() if line is None else line
        self._timer: asyncio.TimerHandle | None = None
        self._limit = queue_limit
        self.reserve = queue_limit // 10 + 1  # places beyond the limit for what the venue sheds last

    def split(self, replicas: int) -> list[Replica]:
        """Give the slots to `replicas` warm replicas, to each as many; none may be held yet. Returns them."""
        parts = [Replica(int(self.servers) // replicas) for _ in range(replicas)]
        self._idle = deque(part for _ in range(parts[0].slots) for part in parts)
        return parts

    def join(self, replica: Replica, now_s: float) -> None:
        """Its slots serve from now on, first of all those that wait."""
        self.settle(now_s)
        self.servers += replica.slots
        for _ in range(replica.slots):
            self._hand_on(replica, now_s)

    def leave(self, replica: Replica) -> None:
        """Its slots are taken away, those that are held as soon as they are free."""
        replica.gone = True
        self.servers -= replica.slots
        self._idle = deque(other for other in self._idle if other is not replica)

    async def acquire(self, deadline_s: float, reserve: int = 0) -> Held:
        """Take a slot, waiting until monotonic `deadline_s` at most; returns what `release` wants back.

        `reserve` is how many places beyond the queue's limit this request may use; who has some is shed last. Raises
        `NoWorker` where the queue is full, the deadline passes, or the line would have it wait no longer.
        """
        now_s = monotonic()
        self.arrivals += 1
        if self._cooling:
            self.settle(now_s)
        if self._idle:
            self.busy.enter(now_s)
            return now_s, self._idle.popleft()
        if len(self._waiters) >= self._limit + reserve:
            self.rejections["full"] += 1
            raise NoWorker
        return await self._wait(now_s, deadline_s, urgent=reserve > 0)

    def release(self, held: Held, blocked_s: float) -> float:
        """Give back a slot that was blocked by something else for `blocked_s` of the time for which it was held.

        Returns how many seconds its answer is still being worked on (0: answer now).
        """
        now_s = monotonic()
        self.completions += 1
        started_s, replica = held
        free_s = started_s + blocked_s + self._service_s * replica.times(started_s)
        if free_s <= now_s:
            self._free(replica, started_s, max(free_s, now_s - LATENESS_S))
            return 0.0
        heapq.heappush(self._cooling, (free_s, started_s, replica.number, replica))
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
            free_s, started_s, _, replica = heapq.heappop(self._cooling)
            self._free(replica, started_s, free_s)

    def _free(self, replica: Replica, started_s: float, at_s: float) -> None:
        """A slot is free at `at_s`."""
        self.busy.leave(started_s, at_s)
        if not replica.gone:
            self._hand_on(replica, at_s)

    def _hand_on(self, replica: Replica, at_s: float) -> None:
        """Who waits and is next gets the slot that is free at `at_s`, and starts then."""
        while self._waiters:
            waiter = self._waiters.take(at_s)
            if waiter.turn.done():
                continue
            start_s = max(at_s, waiter.arrived_s)
            self.waiting.leave(waiter.arrived_s, start_s)
            self.busy.enter(start_s)
            waiter.turn.set_result((start_s, replica))
            return
        self._idle.append(replica)

    async def _wait(self, now_s: float, deadline_s: float, *, urgent: bool) -> Held:
        loop = asyncio.get_running_loop()
        waiter = Waiter(now_s, urgent, loop.create_future())
        patience_s = self._waiters.patience_s(now_s, urgent=urgent)
        self._waiters.add(waiter)
        self.waiting.enter(now_s)
        if self._cooling:
            self._wake_at(self._cooling[0][0], now_s)
        reason = "timeout" if deadline_s - now_s <= patience_s else "codel"
        expiry = loop.call_later(min(deadline_s - now_s, patience_s), self._expire, waiter, reason)
        try:
            held: Held = await waiter.turn
        finally:
            expiry.cancel()
        return held

    def _expire(self, waiter: Waiter, reason: str) -> None:
        if not waiter.turn.done():
            self._waiters.remove(waiter)
            self.waiting.leave(waiter.arrived_s, monotonic())
            self.rejections[reason] += 1
            waiter.turn.set_exception(NoWorker())

    def _wake_at(self, free_s: float, now_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(free_s - now_s, TICK_S), self._wake)

    def _wake(self) -> None:
        self._timer = None
        now_s = monotonic()
        self.settle(now_s)
        if self._waiters and self._cooling:
            self._wake_at(self._cooling[0][0], now_s)
