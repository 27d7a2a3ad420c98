"""The serving end of a component's TCP protocol: one line per message, many requests in flight on one connection.

    caller                       component
    ping                         pong                a plain probe of the link
    <id> ["verb", …]             <id> <status> <body>
                                 * …  or  ! …        what it tells unasked

Bodies are complete JSON in the form that the edge's clients want, so that an edge forwards them without reading them.
"""

import asyncio
from abc import abstractmethod
from typing import Any, cast

import orjson

BUFFER_LIMIT_BYTES = 16 * 1024 * 1024


class LineConnection(asyncio.Protocol):
    """One caller's connection, or a probe's."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []

    @abstractmethod
    def request(self, number: bytes, command: list[Any]) -> None:
        """Take up one command; a `LookupError` or a `TypeError` says that it is none, and closes the connection."""

    def closed(self) -> None:
        """The connection is over; answers that are still due are dropped, as the caller has given them up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Forget it."""
        self._transport = None
        self.closed()

    def data_received(self, data: bytes) -> None:
        """Split lines and take each one up; a line that is no request closes the connection."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        try:
            for line in lines:
                self._line(line)
        except (orjson.JSONDecodeError, LookupError, TypeError):
            self._abort()
        if len(self._buffer) > BUFFER_LIMIT_BYTES:
            self._abort()

    def send(self, line: bytes) -> None:
        """Send with whatever else is due in this turn of the event loop."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(line)

    def answer(self, number: bytes, status: int, body: bytes) -> None:
        """Answer the request `number`."""
        self.send(b"%s %d %s\n" % (number, status, body))

    def _line(self, line: bytes) -> None:
        if line == b"ping":
            self.send(b"pong\n")
            return
        number, _, text = line.partition(b" ")
        self.request(number, orjson.loads(text))

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
            if self._transport.get_write_buffer_size() > BUFFER_LIMIT_BYTES:
                self._abort()  # the peer has stopped reading; it will come back on a new connection
        self._out.clear()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
