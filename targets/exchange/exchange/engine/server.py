"""The engine's TCP protocol: one line per message, many requests in flight on one connection.

    client                              engine
    ping                                pong                        a plain probe of the link
    <id> ["hello"]                      <id> 200 {"accounts": …}    from now on the feed comes, too
    <id> ["order", account, …]          <id> 200 {…venue body…}     when the matching has executed it
                                        * {…}                       market data, every 100 ms if it changed
    <id> ["watch", ["btcusdt@trade", 7]]  <id> 200 {}               also: public trades, and what concerns account 7
                                        ! btcusdt@trade {…}         an event of a topic, in the venue's shape
    <id> ["unwatch", ["btcusdt@trade"]]   <id> 200 {}               no longer

Bodies are complete JSON in the venue's shape, so that a gateway forwards them without reading them.
"""

import asyncio
from typing import Any, cast

import orjson

from exchange.engine.events import Events
from exchange.engine.loop import MatchingLoop
from exchange.engine.matching import Exchange
from exchange.failures import overloaded
from exchange.wall import wall_ms

EXEMPT = frozenset({"cancel", "cancel conditional"})
WATCHING = frozenset({"watch", "unwatch"})
REDUCE_ONLY, CLOSES = -3, -2  # places in the terms of a conditional order
BUFFER_LIMIT_BYTES = 16 * 1024 * 1024


class EngineServer:
    """Hands the commands of gateways to the loop; `connections` are those that asked for the feed.

    `exempting`: what lowers a position's risk may still wait where others are turned away.
    """

    def __init__(
        self, exchange: Exchange, loop: MatchingLoop, accounts: int, events: Events, *, exempting: bool = True
    ) -> None:
        self.exchange = exchange
        self.loop = loop
        self.accounts = accounts
        self.events = events
        self.exempting = exempting
        self.connections: set[EngineConnection] = set()

    @property
    def reserve(self) -> int:
        """Places in the queue beyond its limit for what is shed last."""
        return (self.loop.queue.queue_limit or 0) // 10 + 1 if self.exempting else 0

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen; close the returned server to stop."""
        return await asyncio.get_running_loop().create_server(lambda: EngineConnection(self), host, port)

    def publish(self, feed: bytes) -> None:
        """Send one line of market data to every connected gateway."""
        line = b"* %s\n" % feed
        for connection in tuple(self.connections):
            connection.send(line)


class EngineConnection(asyncio.Protocol):
    """One gateway's connection, or a probe's."""

    def __init__(self, server: EngineServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Answers that are still due are dropped: the gateway has given them up."""
        self._transport = None
        self._server.connections.discard(self)
        self._server.events.unwatch(self)

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

    def _line(self, line: bytes) -> None:
        if line == b"ping":
            self.send(b"pong\n")
            return
        number, _, text = line.partition(b" ")
        command: list[Any] = orjson.loads(text)
        if command[0] == "hello":
            self._server.connections.add(self)
            self._answer(number, 200, orjson.dumps({"accounts": self._server.accounts}))
            return
        if command[0] in WATCHING:
            change = self._server.events.watch if command[0] == "watch" else self._server.events.unwatch
            change(self, command[1])
            self._answer(number, 200, b"{}")
            return
        reserve = self._reserve(command)
        if not self._server.loop.submit(lambda: self._execute(number, command), reserve):
            refusal = overloaded(exempting=self._server.exempting)
            self._answer(number, refusal.status, refusal.body)

    def _reserve(self, command: list[Any]) -> int:
        """Cancels and what only reduces a position lower the risk: the venue sheds them last, if it knows them."""
        exempt = command[0] in EXEMPT or (command[0] == "order" and command[3][7])
        exempt = exempt or (command[0] == "conditional" and (command[3][REDUCE_ONLY] or command[3][CLOSES]))
        return self._server.reserve if exempt else 0

    def _execute(self, number: bytes, command: list[Any]) -> None:
        status, body = self._server.exchange.execute(command, wall_ms())
        self._answer(number, status, body)

    def _answer(self, number: bytes, status: int, body: bytes) -> None:
        self.send(b"%s %d %s\n" % (number, status, body))

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
            if self._transport.get_write_buffer_size() > BUFFER_LIMIT_BYTES:
                self._abort()  # the peer has stopped reading; it will come back on a new connection
        self._out.clear()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
