"""Open-model dispatch: arrivals go to lanes at once, wait in a backlog where connections are short, and never pile up
behind each other's answers."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import gevent
from gevent.hub import get_hub

from chaoskit.load.answer import ExchangeFailed
from chaoskit.load.arrival import Arrival, Stream
from chaoskit.load.departures import Departures
from chaoskit.load.lane import Lane
from chaoskit.load.outcomes import NEVER_SENT
from chaoskit.load.pool import Occupancy, Pool
from chaoskit.load.run_time import RunTime
from chaoskit.plan.arrivals import Schedule
from chaoskit.records import UNSENT

SWEEP_S: Final = 0.01  # a deadline is kept to within this
_EXPIRED_AT_ONCE: Final = 100  # each lane goes on with its next arrival at once: thousands would hold up the loop
_CUT_OFF_US: Final = 1_000_000  # for flows that will not be cut off


class Dispatcher:
    """Plays the arrivals of all streams of one load process over one pool for each entry."""

    def __init__(self, run_time: RunTime, pools: Sequence[Pool]) -> None:
        self.run_time = run_time
        self.pools = pools
        self.playing = Occupancy()
        self.unsent_count = 0
        self.dispatching = 0
        self._hub: Any = get_hub()
        self._lanes: list[Lane] = []
        self._idle: list[Lane] = []
        self._departures = Departures(run_time, self._dispatch)
        self._sweeper: Any = self._hub.loop.timer(SWEEP_S, repeat=SWEEP_S)
        self._sweeper.start(self._sweep)

    def play(self, stream: Stream, schedule: Schedule, worker: int, workers: int) -> None:
        """Dispatch this worker's share of `schedule` at its instants; returns when all are dispatched.

        An arrival's index is unique over all workers: position in the share * workers + worker.
        """
        self.dispatching += 1
        try:
            self._departures.play(stream, schedule, worker, workers)
        finally:
            self.dispatching -= 1

    def warm(self, connections: int) -> None:
        """Open some connections to each entry ahead of time; an entry that refuses is left to the run to find out.

        Meant for before the release: the connections wait idle.
        """
        openers = [
            gevent.spawn(self._open_one, pool) for pool in self.pools for _ in range(min(connections, pool.limit))
        ]
        gevent.joinall(openers, timeout=5)
        for opener in openers:
            opener.kill()

    def drain(self, until_us: int) -> None:
        """Wait until nothing is in flight or the clock reads `until_us`; what is left then counts as failed.

        That includes arrivals which a process too busy has not even dispatched: `until_us` is past all their instants.
        """
        while self.dispatching + self.in_flight + self.backlog and self.run_time.now_us() < until_us:
            gevent.sleep(SWEEP_S)
        for pool in self.pools:
            pool.limit = 0  # nothing starts any more: what is dispatched from here on lands in the backlog
        while self.dispatching:
            gevent.sleep(SWEEP_S)
        now_us = self.run_time.now_us()
        for pool in self.pools:
            for arrival in pool.pop_all(now_us):
                self._unsent(arrival, now_us)
        for lane in self._lanes:
            self._hub.loop.run_callback(lane.cut_off)  # whether it still plays is known only then
        while self.in_flight and self.run_time.now_us() < now_us + _CUT_OFF_US:
            gevent.sleep(SWEEP_S)

    def part(self, within_s: float) -> None:
        """Wait until connections that were kept are closed, which both sides have to agree to, for `within_s`."""
        until_us = self.run_time.now_us() + round(within_s * 1e6)
        while any(pool.kept.count for pool in self.pools) and self.run_time.now_us() < until_us:
            gevent.sleep(SWEEP_S)

    def stop(self) -> None:
        """Dispatch nothing more, and stop watching deadlines. Lanes stay as they are: the process is about to end."""
        self._sweeper.stop()
        self._departures.close()

    @property
    def in_flight(self) -> int:
        """How many arrivals are being played."""
        return self.playing.count

    @property
    def backlog(self) -> int:
        """How many arrivals wait for a connection."""
        return sum(pool.waiting.count for pool in self.pools)

    def next_arrival(self, lane: Lane, ended: Arrival) -> Arrival:
        """See `LaneKeeper`: the backlog is served in place, without a switch; else the lane waits to be called."""
        now_us = self.run_time.now_us()
        self.playing.leave(now_us)
        following = None if ended.keeps_place else self._following(self.pools[ended.entry], now_us)
        if following is not None:
            self.playing.enter(now_us)
            return following
        self._idle.append(lane)
        arrival: Arrival = self._hub.switch()
        return arrival

    def change_entry(self, arrival: Arrival, entry: int) -> bool:
        """See `LaneKeeper`."""
        if not self.take_place(entry):
            return False
        self.give_place(arrival.entry)
        arrival.entry = entry
        return True

    def take_place(self, entry: int) -> bool:
        """See `LaneKeeper`."""
        pool = self.pools[entry]
        if pool.is_full:
            return False
        pool.busy.enter(self.run_time.now_us())
        return True

    def keep_place(self, arrival: Arrival) -> Callable[[], None]:
        """See `LaneKeeper`."""
        arrival.keeps_place = True
        entry = arrival.entry
        kept = self.pools[entry].kept
        kept.enter(self.run_time.now_us())

        def give() -> None:
            kept.leave(self.run_time.now_us())
            self.give_place(entry)

        return give

    def give_place(self, entry: int) -> None:
        """See `LaneKeeper`."""
        now_us = self.run_time.now_us()
        following = self._following(self.pools[entry], now_us)
        if following is not None:
            self._hub.loop.run_callback(self._lane(now_us).greenlet.switch, following)

    def _dispatch(self, arrival: Arrival, now_us: int) -> None:
        arrival.entry = arrival.stream.router.choose(arrival.index, arrival.key, now_us)
        pool = self.pools[arrival.entry]
        if pool.is_full:
            pool.push(arrival, now_us)
        else:
            pool.busy.enter(now_us)
            self._lane(now_us).greenlet.switch(arrival)  # called from the loop: it comes back once the lane waits

    def _lane(self, now_us: int) -> Lane:
        """Return an idle lane for an arrival that has its place in its pool."""
        self.playing.enter(now_us)
        if self._idle:
            return self._idle.pop()
        lane = Lane(self)
        self._lanes.append(lane)
        return lane

    def _following(self, pool: Pool, now_us: int) -> Arrival | None:
        """Pass a place in `pool` on to the first in its backlog that still has time, or give the place back."""
        while (arrival := pool.pop(now_us)) is not None:
            if arrival.deadline_us > now_us:
                return arrival
            self._unsent(arrival, now_us)
        pool.busy.leave(now_us)
        return None

    def _sweep(self) -> None:
        now_us = self.run_time.now_us()
        left = _EXPIRED_AT_ONCE
        for lane in self._lanes:
            if lane.deadline_us <= now_us and lane.is_overdue(now_us) and lane.expire():
                left -= 1
                if not left:
                    break
        for pool in self.pools:
            if pool.waiting.count:
                for arrival in pool.pop_expired(now_us):
                    self._unsent(arrival, now_us)

    def _unsent(self, arrival: Arrival, now_us: int) -> None:
        self.unsent_count += 1
        arrival.stream.recorders[arrival.entry].failed((arrival.intended_us, NEVER_SENT, now_us), 0, UNSENT)

    def _open_one(self, pool: Pool) -> None:
        connection = pool.connection()
        try:
            pool.connect(connection)
        except ExchangeFailed:
            return  # the first arrival there says so, with its name
        finally:
            if not connection.is_open:
                connection.close()
        pool.idle.append(connection)
