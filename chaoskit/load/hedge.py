"""Hedged requests: a second one where the first brought no answer in good time; the first whole answer is taken.

J. Dean, L. A. Barroso, "The Tail at Scale", CACM 56(2), 2013: sent after the usual 95th percentile, the second request
adds some 5 % of load and cuts the tail. When the whole target is slow it doubles the load, which a run can show.
"""

from enum import Enum
from typing import Any

from gevent.hub import get_hub
from greenlet import greenlet

from chaoskit.load.answer import Answer, ExchangeFailed
from chaoskit.load.arrival import Arrival
from chaoskit.load.connection import Connection
from chaoskit.load.lane import Lane
from chaoskit.load.request import PreparedRequest
from chaoskit.load.retries import Budget


class _State(Enum):
    WAITING = "the first request still has time"
    SENT = "both are out"
    ENDED = "it has its answer, or failed"
    OVER = "nobody asks for it any more"


class Hedging:
    """Sends requests that begin with one of `methods` a second time after `after_us` microseconds."""

    def __init__(self, after_us: int, methods: tuple[bytes, ...], budget: Budget | None) -> None:
        self._after_s = after_us / 1e6
        self._methods = methods
        self._budget = budget
        self._loop: Any = get_hub().loop

    def send(self, lane: Lane, arrival: Arrival, prepared: PreparedRequest) -> Answer:
        """Send `prepared` once or twice; return the answer that came first.

        Raises:
            ExchangeFailed: neither had an answer in time; the reason is that of the first.
        """
        if self._budget is not None:
            self._budget.pay_in()
        if not prepared.start.startswith(self._methods):
            return lane.attempt(arrival, prepared)
        second = _Second(lane, arrival, prepared, self._budget)
        timer = self._loop.timer(self._after_s)
        timer.start(second.start)
        try:
            return lane.attempt(arrival, prepared)
        except ExchangeFailed:
            answer = second.answer()
            if answer is None:
                raise
            return answer
        finally:
            timer.stop()
            timer.close()
            second.give_up()


class _Second:
    """The second request of one arrival. It has a greenlet, a connection and a place in a pool of its own.

    Its greenlet is entered from the hub only and goes back there, so that it never runs inside the lane's.
    """

    def __init__(self, lane: Lane, arrival: Arrival, prepared: PreparedRequest, budget: Budget | None) -> None:
        self._lane = lane
        self._arrival = arrival
        self._prepared = prepared
        self._budget = budget
        self._hub: Any = get_hub()
        self._state = _State.WAITING
        self._lane_waits = False
        self._entry = arrival.entry
        self._connection: Connection | None = None
        self._answer: Answer | None = None

    def start(self) -> None:
        """Called by the loop when the first request has had its time; where no place is free nothing is sent."""
        keeper = self._lane.keeper
        entry = (self._arrival.entry + 1) % len(keeper.pools)
        if not keeper.take_place(entry):
            return
        if self._budget is not None and not self._budget.take():
            keeper.give_place(entry)
            return
        self._entry = entry
        self._state = _State.SENT
        self._lane.attempts += 1
        greenlet(self._run, parent=self._hub).switch()

    def answer(self) -> Answer | None:
        """Called by the lane, whose own request ended without an answer: wait for this one's while there is time."""
        lane = self._lane
        if self._state is _State.SENT and lane.keeper.run_time.now_us() < lane.deadline_us:
            lane.connection = self._connection  # it is this one that a deadline has to find now
            self._lane_waits = True
            try:
                self._hub.switch()
            finally:
                self._lane_waits = False
                lane.connection = None
        if self._state is not _State.ENDED or self._answer is None:
            return None
        if self._connection is not None and self._connection.is_open:
            lane.connection = self._connection
        self._connection = None
        arrival = self._arrival
        arrival.entry, self._entry = self._entry, arrival.entry  # the arrival ends where it was answered
        return self._answer

    def give_up(self) -> None:
        """Called by the lane when it needs this request no more; a place and a connection go back once it has ended."""
        state, self._state = self._state, _State.OVER
        if state is _State.ENDED:
            self._leave()
        elif state is _State.SENT:
            self._hub.loop.run_callback(self._cut_off)

    def _run(self) -> None:
        pool = self._lane.keeper.pools[self._entry]
        prepared = self._prepared
        kept = pool.idle_connection()
        self._connection = connection = kept or pool.connection()
        try:
            if kept is None:
                pool.connect(connection)
            data = prepared.start + (prepared.host_line or pool.host_line) + prepared.rest
            self._answer = connection.exchange(data, head_only=prepared.head_only)
        except ExchangeFailed:
            connection.close()
        if not connection.reader.keep_alive:
            connection.close()
        if self._state is _State.OVER:
            self._leave()
        else:
            self._state = _State.ENDED
            self._hub.loop.run_callback(self._tell)

    def _tell(self) -> None:
        """Called by the loop: the lane takes the answer, or learns that none will come."""
        if self._state is not _State.ENDED:
            return
        if self._lane_waits:
            self._lane.greenlet.switch()
        elif self._answer is not None and self._lane.connection is not None:
            self._lane.connection.expire()

    def _cut_off(self) -> None:
        if self._connection is not None:
            self._connection.expire()

    def _leave(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._lane.keeper.pools[self._entry].idle.append(self._connection)
        elif self._connection is not None:
            self._connection.close()
        self._connection = None
        self._lane.keeper.give_place(self._entry)
