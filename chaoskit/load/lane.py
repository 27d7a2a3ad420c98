"""A lane plays arrivals one after the other: a reused greenlet, and the client that flows talk through."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from gevent.hub import get_hub
from greenlet import greenlet

from chaoskit.load.answer import FIRST_ERROR_STATUS, Answer, ExchangeFailed
from chaoskit.load.arrival import Arrival, Limits, Stream
from chaoskit.load.connection import Connection
from chaoskit.load.failure import Reply, failure_of
from chaoskit.load.outcomes import NEVER_SENT
from chaoskit.load.pool import Pool
from chaoskit.load.request import PreparedRequest
from chaoskit.load.run_time import RunTime

_NEVER_US: Final = 1 << 62
_STALE: Final = frozenset({"closed", "reset"})


class LaneKeeper(Protocol):
    """Who gives lanes their work."""

    run_time: RunTime
    pools: Sequence[Pool]

    def next_arrival(self, lane: "Lane", ended: Arrival) -> Arrival:
        """Take the place of `ended` back and wait for the lane's next arrival, which has a place of its own."""

    def change_entry(self, arrival: Arrival, entry: int) -> bool:
        """Give the arrival's place back and take one at `entry`; False, and nothing done, where that is full."""

    def take_place(self, entry: int) -> bool:
        """Take a place at `entry` beside the arrival's own; False where that is full."""

    def keep_place(self, arrival: Arrival) -> Callable[[], None]:
        """Let the arrival's place be in use beyond its end, until what is returned is called."""

    def give_place(self, entry: int) -> None:
        """Give a place at `entry` back; the first in its backlog has it then."""


class Lane:
    """Plays one arrival at a time. `deadline_us` is when it gives up waiting; its keeper sees to that."""

    __slots__ = (
        "_arrival", "_reason", "_sent_us", "_whole_us", "attempts", "connection", "deadline_us", "greenlet", "keeper",
    )  # fmt: skip

    def __init__(self, keeper: LaneKeeper) -> None:
        self.keeper = keeper
        self._arrival: Arrival | None = None
        self._reason: str | None = None
        self.attempts = 0
        self._sent_us = NEVER_SENT
        self.connection: Connection | None = None
        self.deadline_us = _NEVER_US
        self._whole_us = 0  # in a stage with a limit of its own: the deadline once it is over
        self.greenlet = greenlet(self._run, parent=get_hub())

    @property
    def is_playing(self) -> bool:
        """Whether an arrival is in flight on this lane."""
        return self._arrival is not None

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> Answer:
        """See `flow.Client.request`."""
        return self.exchange(PreparedRequest.build(method, target, headers, body))

    def call(self, method: str, params: object = (), target: str = "/") -> Reply:
        """See `flow.Client.call`."""
        return Reply.of(self.exchange(PreparedRequest.rpc(target, method, params)).body)

    def fail(self, reason: str) -> None:
        """See `flow.Client.fail`."""
        if self._reason is None:
            self._reason = reason

    def exchange(self, prepared: PreparedRequest) -> Answer:
        """See `flow.PreparingClient.exchange`."""
        arrival = self._arrival
        if arrival is None:
            message = "a flow's client was used after its arrival had ended"
            raise RuntimeError(message)
        if self._sent_us == NEVER_SENT:
            self._sent_us = self.keeper.run_time.now_us()
        policy = arrival.stream.policy
        try:
            answer = self.attempt(arrival, prepared) if policy is None else policy.exchange(self, arrival, prepared)
        except ExchangeFailed as failure:
            self.fail(failure.reason)
            raise
        if answer.status >= FIRST_ERROR_STATUS or prepared.is_rpc:
            reason = failure_of(prepared, answer, arrival.stream.error_code)
            if reason is not None:
                self.fail(reason)
        return answer

    def is_overdue(self, now_us: int) -> bool:
        """Whether it waits in vain; an answer that has begun has until the attempt's own deadline. For its keeper."""
        if self.deadline_us > now_us or self.connection is None:
            return False
        if self._whole_us > now_us and self.connection.reader.started:
            self.deadline_us = self._whole_us
            return False
        return True

    def expire(self) -> bool:
        """Make it give up what it waits for; False where it waits for nothing. Call it from the hub only."""
        return self.connection is not None and self.connection.expire()

    def cut_off(self) -> None:
        """End the arrival that is played, which has no time left for another attempt. Call it from the hub only."""
        if self._arrival is not None:
            self._arrival.deadline_us = self.deadline_us = 0
            self.greenlet.throw(ExchangeFailed("timeout"))

    def _run(self, arrival: Arrival) -> None:
        while True:
            self._play(arrival)
            arrival = self.keeper.next_arrival(self, arrival)

    def _play(self, arrival: Arrival) -> None:
        self._begin(arrival)
        stream = arrival.stream
        try:
            stream.flow(self, arrival)
        except ExchangeFailed as failure:
            self.fail(failure.reason)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a flow is the user's: what it raises is its arrival's
            self._note(stream, error)
        done_us = self.keeper.run_time.now_us()
        recorder = stream.recorders[arrival.entry]
        if self._reason is None:
            sent_us = done_us if self._sent_us == NEVER_SENT else self._sent_us
            recorder.ok(arrival.intended_us, sent_us, done_us, self.attempts, arrival.waited_us)
        else:
            times_us = (arrival.intended_us, self._sent_us, done_us)
            recorder.failed(times_us, self.attempts, self._reason, arrival.waited_us)
        self._arrival = None
        self.deadline_us = _NEVER_US
        self._whole_us = 0
        self.put_back(arrival)

    def _begin(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._reason = None
        self.attempts = 0
        self._sent_us = NEVER_SENT
        self.deadline_us = arrival.deadline_us

    def _note(self, stream: Stream, error: BaseException) -> None:
        name = type(error).__name__
        if self._reason is None:
            last = traceback.extract_tb(error.__traceback__)[-1]
            stream.note(f"flow of stream {stream.name}: {name}: {error} ({last.filename}:{last.lineno})")
        self.fail(f"flow error: {name}")

    def put_back(self, arrival: Arrival) -> None:
        """Leave the connection to whoever needs one next."""
        if self.connection is not None:
            self.keeper.pools[arrival.entry].idle.append(self.connection)
            self.connection = None

    def attempt(self, arrival: Arrival, prepared: PreparedRequest) -> Answer:
        """Send once, or twice where a kept connection proves stale and the request may be sent again."""
        pool = self.keeper.pools[arrival.entry]
        data = prepared.start + (prepared.host_line or pool.host_line) + prepared.rest
        while True:
            self.attempts += 1
            kept = self.connection
            if kept is None or not kept.is_open:  # the server may have hung up while the flow did something else
                kept = pool.idle_connection()
            limits = arrival.stream.limits
            if limits is None:
                self.connection = connection = kept or self._connect(pool)
            else:
                connection = self._in_stages(limits, kept, pool)
            try:
                answer = connection.exchange(data, head_only=prepared.head_only)
            except ExchangeFailed as failure:
                self.drop()
                if limits is not None:
                    self.end_stage()
                is_stale = kept is not None and failure.reason in _STALE and not connection.reader.started
                if is_stale and prepared.idempotent:
                    continue
                raise
            except BaseException:
                self.drop()  # the flow was cut off in the middle: the connection is in no known state
                raise
            if limits is not None:
                self.end_stage()
            if not connection.reader.keep_alive:
                self.drop()
            return answer

    def open(self, arrival: Arrival, pool: Pool) -> Connection:
        """Return a new connection; where stages have limits, its first answer has from now on the limit of its own."""
        limits = arrival.stream.limits
        return self._connect(pool) if limits is None else self._in_stages(limits, None, pool)

    def _in_stages(self, limits: Limits, kept: Connection | None, pool: Pool) -> Connection:
        """Return a connection within its limit, and give the first byte of the answer its own."""
        now_us = self.keeper.run_time.now_us
        self._whole_us = self.deadline_us
        if kept is None and limits.connect_us is not None:
            self.deadline_us = min(self._whole_us, now_us() + limits.connect_us)
        try:
            self.connection = connection = kept or self._connect(pool)
        finally:
            self.deadline_us = self._whole_us
        if limits.first_byte_us is not None:
            connection.reader.expect(head_only=False)  # what came before is no byte of this answer
            self.deadline_us = min(self._whole_us, now_us() + limits.first_byte_us)
        return connection

    def end_stage(self) -> None:
        """Go from the limit of a stage back to the attempt's own deadline; does nothing the second time."""
        if self._whole_us:
            self.deadline_us, self._whole_us = self._whole_us, 0

    def _connect(self, pool: Pool) -> Connection:
        self.connection = connection = pool.connection()  # already known, so that a deadline finds it
        try:
            pool.connect(connection)
        except BaseException:
            self.drop()
            raise
        return connection

    def drop(self) -> None:
        """Close the connection; does nothing where there is none."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
