"""Arrivals of all streams, each let go at its instant by one timer."""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush, heapreplace
from itertools import chain, count, repeat
from typing import Final

from gevent.event import AsyncResult

from chaoskit.load.arrival import Arrival, Stream
from chaoskit.load.pacer import Pacer
from chaoskit.load.run_time import RunTime
from chaoskit.plan.arrivals import Schedule, share

_QUANTUM_US: Final = 200  # at high rates arrivals this close share a wake-up, and are at most this late for it
_TURN_US: Final = 1_000  # who is late lets the loop read answers after this long
_CHUNK: Final = 8192

# Intended instant, number of the stream, index, key, stream: in the order in which they leave.
_Departure = tuple[int, int, int, int, "_Departing"]


class _Departing:
    """A stream whose arrivals are not all gone."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.left: Iterator[_Departure] = iter(())
        self.ended: AsyncResult[None] = AsyncResult()


class Departures:
    """Calls `depart(arrival, now_us)` from the loop for each arrival of each stream, never before its instant."""

    def __init__(self, run_time: RunTime, depart: Callable[[Arrival, int], None]) -> None:
        self._run_time = run_time
        self._depart = depart
        self._next: list[_Departure] = []  # a heap with the next of each stream
        self._numbers = count()
        self._pacer = Pacer(self._let_go)

    def play(self, stream: Stream, schedule: Schedule, worker: int, workers: int) -> None:
        """Let this worker's share of `schedule` go; returns when all are gone.

        An arrival's index is unique over all workers: position in the share * workers + worker.
        What `depart` raises for one of them ends the stream and is raised here.
        """
        departing = _Departing(stream)
        departing.left = _departures(
            departing, next(self._numbers), share(schedule, worker, workers), (worker, workers)
        )
        first = next(departing.left, None)
        if first is None:
            return
        heappush(self._next, first)
        self._pacer.call_at(self._run_time.zero_ns + self._next[0][0] * 1000)
        try:
            departing.ended.get()
        finally:
            self._next = [each for each in self._next if each[-1] is not departing]
            heapify(self._next)

    def close(self) -> None:
        """Let nobody go any more."""
        self._pacer.close()

    def _let_go(self) -> None:
        waiting = self._next
        now_us = self._run_time.now_us()
        turn_ends_us = now_us + _TURN_US
        while waiting and waiting[0][0] <= now_us < turn_ends_us:
            intended_us, _, index, key, departing = waiting[0]
            following = next(departing.left, None)
            if following is None:
                heappop(waiting)
                departing.ended.set(None)
            else:
                heapreplace(waiting, following)
            try:
                self._depart(Arrival(departing.stream, index, key, intended_us), now_us)
            except Exception as error:  # noqa: BLE001 - raised where the stream is played
                departing.ended.set_exception(error)
            now_us = self._run_time.now_us()
        if waiting:
            next_us = waiting[0][0]
            wake_us = now_us if next_us <= now_us else max(next_us, now_us + _QUANTUM_US)
            self._pacer.call_at(self._run_time.zero_ns + wake_us * 1000)


def _departures(departing: _Departing, number: int, mine: Schedule, place: tuple[int, int]) -> Iterator[_Departure]:
    """Return the departures of a share; plain integers, a chunk at a time, are quickest to walk."""
    indexes = count(*place)
    starts = range(0, len(mine.times_us), _CHUNK)
    return chain.from_iterable(
        zip(
            mine.times_us[start : start + _CHUNK].tolist(),
            repeat(number),
            indexes,
            mine.keys[start : start + _CHUNK].tolist(),
            repeat(departing),
            strict=False,  # the others never end
        )
        for start in starts
    )
