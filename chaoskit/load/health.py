"""The load process as a suspect like any other: its lateness, its CPU and its connections."""

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import gevent

from chaoskit.load.dispatcher import Dispatcher
from chaoskit.records import GeneratorHealth, ResourceSample

_BEAT_S: Final = 0.02


class Heartbeat:
    """A greenlet that sleeps and looks how much later than asked it wakes: what the loop does to everybody."""

    def __init__(self) -> None:
        self._worst_s = 0.0
        self._beating = gevent.Greenlet(self._beat)

    def start(self) -> None:
        """Start beating."""
        self._beating.start()

    def worst_s(self) -> float:
        """Return the worst lateness since the last call."""
        worst_s, self._worst_s = self._worst_s, 0.0
        return worst_s

    def stop(self) -> None:
        """Stop beating."""
        self._beating.kill()

    def _beat(self) -> None:
        while True:
            due_s = time.monotonic() + _BEAT_S
            gevent.sleep(_BEAT_S)
            self._worst_s = max(self._worst_s, time.monotonic() - due_s)


def health(dispatcher: Dispatcher, worker: int, loop_lag_s: float) -> GeneratorHealth:
    """Return the state of this load process now."""
    return GeneratorHealth(
        t_s=dispatcher.run_time.now_us() / 1e6,
        worker=worker,
        cpu_s=time.process_time(),
        loop_lag_s=loop_lag_s,
        in_flight=dispatcher.in_flight,
        connections=sum(pool.open_connections for pool in dispatcher.pools),
        backlog=dispatcher.backlog,
    )


def resources(dispatcher: Dispatcher, worker: int) -> Iterator[ResourceSample]:
    """Yield what can run out in this process: its one core, and its connections.

    A connection is held while the target answers, so all of its busy time is blocked on the entry it leads to. Those
    of subscriptions are held because nobody wants to end them: they are no servers of others meanwhile.
    """
    now_us = dispatcher.run_time.now_us()
    playing = dispatcher.playing
    ended = float(playing.entered - playing.count)
    yield ResourceSample(
        t_s=now_us / 1e6,
        resource=f"generator/worker@{worker}.cpu",
        servers=1.0,
        busy_s=time.process_time(),
        arrivals=float(playing.entered),
        completions=ended,
    )
    blocked_s: dict[str, float] = defaultdict(float)
    for pool in dispatcher.pools:
        blocked_s[pool.kind] += pool.busy.total_s(now_us) - pool.kept.total_s(now_us)
    yield ResourceSample(
        t_s=now_us / 1e6,
        resource=f"generator/worker@{worker}.connections",
        servers=float(sum(pool.places - pool.kept.count for pool in dispatcher.pools)),
        busy_s=sum(blocked_s.values()),
        blocked_s=dict(blocked_s),
        arrivals=float(playing.entered + dispatcher.backlog + dispatcher.unsent_count),
        completions=ended,
        rejections={"unsent": float(dispatcher.unsent_count)} if dispatcher.unsent_count else {},
        wait_s=sum(pool.waiting.total_s(now_us) for pool in dispatcher.pools),
        queue_length=float(dispatcher.backlog),
    )
