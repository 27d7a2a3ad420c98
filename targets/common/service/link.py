"""The calling end of a component's TCP protocol (`service.lines`): one connection, many calls in flight.

The connection mends itself; a call on a broken one fails, and says whether it can have been executed.
"""

import asyncio
import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any, cast

import orjson

LOG = logging.getLogger(__name__)
CONNECT_WITHIN_S = 1.0
FIRST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0
SWEEP_EVERY_S = 0.05

Answer = tuple[int, bytes]
_Pending = tuple[asyncio.Future[Answer], float, float]  # when it was sent, and by when it must be answered


class NotSent(ConnectionError):
    """There is no connection: the call was certainly not executed."""


class Unanswered(ConnectionError):
    """The answer did not come in time: whether the call was executed is unknown."""


class Link:
    """Calls to one component. `timeout_s` is by when an answer must come, where a call does not say otherwise.

    `unsent` and `unanswered` make the exceptions that failed calls raise.
    """

    def __init__(
        self,
        address: tuple[str, int],
        timeout_s: float,
        unsent: Callable[[], Exception] = NotSent,
        unanswered: Callable[[], Exception] = Unanswered,
    ) -> None:
        self._host, self._port = address
        self._timeout_s = timeout_s
        self._unsent = unsent
        self._unanswered = unanswered
        self._connection: _Connection | None = None
        self._number = 0
        self._silent_since_s = math.inf  # when the first overdue call was sent that nothing was heard after
        self._pending: dict[int, _Pending] = {}
        self.reconnects = 0

    @property
    def connected(self) -> bool:
        """Whether calls can be sent now."""
        return self._connection is not None

    def greeted(self, body: bytes) -> None:
        """The far end has answered the `hello` of a new connection."""

    def told(self, kind: bytes, text: bytes) -> None:
        """A line came that answers no call: `* …` or `! …`."""

    def call(self, command: list[Any], deadline_s: float | None = None) -> "asyncio.Future[Answer]":
        """Send one command; the future gives status and body.

        It raises what `unanswered` makes where the answer does not come by `deadline_s` (monotonic; None: the link's
        time-out from now) or the connection breaks meanwhile, and what `unsent` makes, at once, where there is none.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._connection is None:
            future.set_exception(self._unsent())
            return future
        self._number += 1
        sent_s = monotonic()
        self._pending[self._number] = (future, sent_s, sent_s + self._timeout_s if deadline_s is None else deadline_s)
        self._connection.send(b"%d %s\n" % (self._number, orjson.dumps(command)))
        return future

    async def run(self) -> None:
        """Keep the connection up for ever."""
        backoff_s = FIRST_BACKOFF_S
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    _, connection = await loop.create_connection(lambda: _Connection(self), self._host, self._port)
            except (OSError, TimeoutError) as error:
                LOG.debug("no connection to %s:%d: %r; again in %.2f s", self._host, self._port, error, backoff_s)
            else:
                if await self._serve(connection):
                    backoff_s = FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)
            self.reconnects += 1

    async def _serve(self, connection: "_Connection") -> bool:
        """Use `connection` until it breaks or falls silent; True where the far end ever answered on it."""
        self._connection = connection
        self._silent_since_s = math.inf
        self.call(["hello"]).add_done_callback(self._greet)
        try:
            while not connection.lost.is_set():
                try:
                    async with asyncio.timeout(SWEEP_EVERY_S):
                        await connection.lost.wait()
                except TimeoutError:
                    self._sweep(connection)
        finally:
            self._connection = None
            connection.abort()
            self._fail_all()
        return connection.heard

    def _greet(self, hello: "asyncio.Future[Answer]") -> None:
        if not hello.cancelled() and hello.exception() is None:
            self.greeted(hello.result()[1])

    def _sweep(self, connection: "_Connection") -> None:
        """Fail overdue calls; a connection that was silent for a whole time-out is given up."""
        now_s = monotonic()
        overdue = [number for number, (_, _, deadline_s) in self._pending.items() if deadline_s <= now_s]
        for number in overdue:
            future, sent_s, _ = self._pending.pop(number)
            if not future.done():
                future.set_exception(self._unanswered())
            self._silent_since_s = min(self._silent_since_s, sent_s)
        if connection.heard_s >= self._silent_since_s:
            self._silent_since_s = math.inf
        elif self._silent_since_s <= now_s - self._timeout_s:
            connection.abort()

    def _fail_all(self) -> None:
        pending, self._pending = self._pending, {}
        for future, _, _ in pending.values():
            if not future.done():
                future.set_exception(self._unanswered())

    def received(self, line: bytes) -> None:
        """One line from the far end."""
        number, _, text = line.partition(b" ")
        if not number.isdigit():
            self.told(number, text)
            return
        status, _, body = text.partition(b" ")
        future, _, _ = self._pending.pop(int(number), (None, 0.0, 0.0))
        if future is not None and not future.done():
            future.set_result((int(status), body))


class _Connection(asyncio.Protocol):
    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []
        self.lost = asyncio.Event()
        self.heard = False
        self.heard_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._transport = None
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self.heard_s = monotonic()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._link.received(line)

    def send(self, line: bytes) -> None:
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(line)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()
