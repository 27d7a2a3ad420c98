"""Subscriptions over WebSocket: an arrival ends with its first message, and its subscription listens on.

Until then it is played on a lane like any other. From there on it is driven by what comes, without a greenlet.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gevent.hub import get_hub

from chaoskit.load.answer import FIRST_ERROR_STATUS, SWITCHING_PROTOCOLS, Answer, ExchangeFailed
from chaoskit.load.arrival import Arrival
from chaoskit.load.connection import Connection
from chaoskit.load.failure import rpc_failure
from chaoskit.load.feed import Feed
from chaoskit.load.lane import Lane
from chaoskit.load.request import PreparedRequest
from chaoskit.load.run_time import RunTime
from chaoskit.load.websocket import WebSocket
from chaoskit.plan.flow import PlannedSubscription

CLOSING_S: Final = 1.0
"""How long the other side has to agree to a close."""


class Subscriber:
    """Opens the subscriptions of one stream; `feeds` are in the order of the plan's entries."""

    def __init__(self, planned: PlannedSubscription, headers: Mapping[str, str], feeds: Sequence[Feed]) -> None:
        self._planned = planned
        self._headers = headers
        self._feeds = feeds

    def send(self, lane: Lane, arrival: Arrival, _prepared: PreparedRequest) -> Answer:
        """Subscribe and wait for the first message; return the answer to the handshake.

        Raises:
            ExchangeFailed: as of a request; also `message_timeout` where no message came, `rpc -32601` where an error
                came in place of one, `closed 1013` where the other side closed with that code.
        """
        lane.attempts += 1
        pool = lane.keeper.pools[arrival.entry]
        try:
            connection = lane.open(arrival, pool)
            socket = WebSocket(self._planned.path, pool.host_line, self._headers, self._planned.protocols)
            messages = _shake_hands(connection, socket)
            lane.end_stage()
            if socket.answer is not None and socket.answer.status != SWITCHING_PROTOCOLS:
                lane.drop()
                return _refusal(socket.answer)
            for text in self._planned.send:
                socket.say(text)
            connection.send(socket.to_send())
            feed = self._feeds[arrival.entry]
            messages = _first(connection, socket, feed, messages)
        except BaseException:
            lane.end_stage()
            lane.drop()
            raise
        lane.connection = None  # it is the subscription's from here on, and so is the arrival's place in the pool
        subscription = Subscription(feed, connection, socket, lane.keeper.run_time)
        subscription.begin(messages, self._planned.hold_s, lane.keeper.keep_place(arrival))
        assert socket.answer is not None
        return socket.answer


class Subscription:
    """One that listens, until its time is over or the other side ends it."""

    __slots__ = (
        "_connection", "_ended", "_feed", "_hub", "_run_time", "_socket", "_timer", "_unsent", "last_us", "longest_us",
    )  # fmt: skip

    def __init__(self, feed: Feed, connection: Connection, socket: WebSocket, run_time: RunTime) -> None:
        self.last_us = 0
        self.longest_us = 0
        self._feed = feed
        self._connection = connection
        self._socket = socket
        self._run_time = run_time
        self._hub: Any = get_hub()
        self._timer: Any = None
        self._unsent: deque[bytes] = deque()
        self._ended: Callable[[], None] = _nothing

    def begin(self, messages: Sequence[bytes], hold_s: float | None, ended: Callable[[], None]) -> None:
        """Listen, first to `messages`, which have come already, for `hold_s` or until the feed ends.

        `ended` is called when the connection is closed.
        """
        self._ended = ended
        now_us = self._run_time.now_us()
        self._feed.open(self, now_us)
        for message in messages:
            self._feed.hear(self, message, now_us)
        self._connection.listen(self._on_data)
        if self._feed.ended:
            self.leave()
        elif (closed := self._socket.closed) is not None:
            self._end(closed)
        elif hold_s is not None:
            self._start_timer(hold_s, self.leave)

    def leave(self) -> None:
        """Say good-bye; the other side has a second to agree."""
        self._feed.close(self, self._run_time.now_us())
        self._socket.leave()
        self._start_timer(CLOSING_S, self._end)
        self._send()

    def _on_data(self) -> None:
        try:
            data = self._connection.take()
            messages = [] if data is None else self._socket.receive(data)
        except ExchangeFailed as failure:
            self._end(failure.reason)
            return
        if messages:
            now_us = self._run_time.now_us()
            for message in messages:
                self._feed.hear(self, message, now_us)
        closed = self._socket.closed
        if closed is None:
            self._send()
        else:
            self._end(closed)

    def _send(self) -> None:
        """Send what there is to send as far as the other side takes it; the rest goes when it is heard of again."""
        if data := self._socket.to_send():
            self._unsent.append(data)
        try:
            while self._unsent:
                sent = self._connection.put(self._unsent[0])
                if sent < len(self._unsent[0]):
                    self._unsent[0] = self._unsent[0][sent:]
                    return
                self._unsent.popleft()
        except ExchangeFailed as failure:
            self._end(failure.reason)

    def _end(self, reason: str | None = None) -> None:
        self._feed.close(self, self._run_time.now_us(), reason)
        self._stop_timer()
        self._connection.close()
        ended, self._ended = self._ended, _nothing
        ended()

    def _start_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self._hub.loop.timer(seconds)
        self._timer.start(then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


def _shake_hands(connection: Connection, socket: WebSocket) -> list[bytes]:
    """Wait for the answer to the handshake; return the messages that came with it."""
    connection.send(socket.to_send())
    messages: list[bytes] = []
    while socket.answer is None:
        messages += socket.receive(connection.receive())
    return messages


def _first(connection: Connection, socket: WebSocket, feed: Feed, messages: list[bytes]) -> list[bytes]:
    """Wait for a message that counts; return it and those that came with it."""
    while True:
        for place, message in enumerate(messages):
            if feed.counts(message):
                return messages[place:]
            if b'"error"' in message and (reason := rpc_failure(message)) is not None:
                raise ExchangeFailed(reason)
        if (closed := socket.closed) is not None:
            raise ExchangeFailed(closed)
        try:
            data = connection.receive()
        except ExchangeFailed as failure:
            reason = "message_timeout" if failure.reason == "timeout" else failure.reason
            raise ExchangeFailed(reason) from failure
        messages = socket.receive(data)
        if answers := socket.to_send():
            connection.send(answers)  # to pings


def _refusal(answer: Answer) -> Answer:
    """Return an answer that refuses the handshake; one that is no refusal makes no sense here."""
    if answer.status < FIRST_ERROR_STATUS:
        reason = "bad_answer"
        raise ExchangeFailed(reason)
    return answer


def _nothing() -> None:
    """Called where nobody wants to know."""
