"""A single-threaded server with a modelled service time and a bounded queue before it.

The service time passes on a virtual clock: a command starts at `max(arrival, free)` and is done `service_s`
later. Timers of an event loop are coarse (about 1 ms), so several commands may complete at one tick, each at
its own virtual time: the throughput is exactly `1 / service_s`, nothing spins, and an answer is late by one
tick at most.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from service.occupancy import Resource

LOG = logging.getLogger(__name__)
TICK_S = 0.001


@dataclass(slots=True)
class _Waiting:
    work: Callable[[], None]
    arrived_s: float


class ServingLoop:
    """Runs work in order of arrival, one at a time, on the virtual clock.

    `server` is that one, called `name`, and `queue` who waits for it. `submit` refuses when `queue_limit` wait. Call
    from the event loop's thread only.
    """

    def __init__(self, name: str, service_s: float, queue_limit: int) -> None:
        self._service_s = service_s
        self._queue: deque[_Waiting] = deque()
        self._free_s = 0.0
        self._serving_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.server = _Settled(name, 1, self)
        self.queue = _Settled("queue", queue_limit, self, queue_limit)
        self.queue.waiting = self.queue.busy
        self.server.waiting = self.queue.busy

    def submit(self, work: Callable[[], None], reserve: int = 0) -> bool:
        """Queue `work`; False, and counted as a rejection, where the queue is full.

        `reserve` is how many places beyond the limit this command may use, for those that must not be shed
        first.
        """
        now_s = monotonic()
        self.drain(now_s)
        self.queue.arrivals += 1
        waiting = self.queue.busy.holders
        limit = self.queue.queue_limit
        if limit is not None and waiting >= limit + reserve:
            self.queue.rejections["full"] += 1
            return False
        self._queue.append(_Waiting(work, now_s))
        self.queue.busy.enter(now_s)
        self.server.arrivals += 1
        self.drain(now_s)
        return True

    def drain(self, now_s: float) -> None:
        """Complete everything that is done by `now_s` on the virtual clock, then wait for the next."""
        while self._queue:
            head = self._queue[0]
            if self._serving_since_s is None:
                self._serving_since_s = max(self._free_s, head.arrived_s)
                self.queue.busy.leave(head.arrived_s, self._serving_since_s)
                self.queue.completions += 1
                self.server.busy.enter(self._serving_since_s)
            done_s = self._serving_since_s + self._service_s
            if done_s > now_s:
                self._wake_in(done_s - now_s)
                return
            self._queue.popleft()
            self.server.busy.leave(self._serving_since_s, done_s)
            self.server.completions += 1
            self._free_s = done_s
            self._serving_since_s = None
            try:
                head.work()
            except Exception:  # one bad command must not stop the queue behind it
                LOG.exception("a command failed in the %s", self.server.name)

    def _wake_in(self, delay_s: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(delay_s, TICK_S), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.drain(monotonic())


class _Settled(Resource):
    """A resource of the loop: a scrape first completes what is already done, so no counter runs ahead."""

    def __init__(self, name: str, servers: float, loop: ServingLoop, queue_limit: int | None = None) -> None:
        super().__init__(name, servers, queue_limit)
        self._loop = loop

    def settle(self, now_s: float) -> None:
        """Complete what is done by `now_s`."""
        self._loop.drain(now_s)
