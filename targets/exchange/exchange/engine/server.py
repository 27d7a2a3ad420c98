"""What the engine understands (the form of lines: `service.lines`).

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
from typing import Any

import orjson
from service.lines import LineConnection
from service.serving_loop import ServingLoop
from service.wall import wall_ms

from exchange.engine.events import Events
from exchange.engine.matching import Exchange
from exchange.failures import overloaded

EXEMPT = frozenset({"cancel", "cancel conditional"})
WATCHING = frozenset({"watch", "unwatch"})
REDUCE_ONLY, CLOSES = -3, -2  # places in the terms of a conditional order


class EngineServer:
    """Hands the commands of gateways to the loop; `connections` are those that asked for the feed.

    `exempting`: what lowers a position's risk may still wait where others are turned away.
    """

    def __init__(
        self, exchange: Exchange, loop: ServingLoop, accounts: int, events: Events, *, exempting: bool = True
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


class EngineConnection(LineConnection):
    """One gateway's connection, or a probe's."""

    def __init__(self, server: EngineServer) -> None:
        super().__init__()
        self._server = server

    def closed(self) -> None:
        """Nothing is told it any more."""
        self._server.connections.discard(self)
        self._server.events.unwatch(self)

    def request(self, number: bytes, command: list[Any]) -> None:
        """Queue a command for the matching, or refuse it; answer at once what needs no matching."""
        if command[0] == "hello":
            self._server.connections.add(self)
            self.answer(number, 200, orjson.dumps({"accounts": self._server.accounts}))
            return
        if command[0] in WATCHING:
            change = self._server.events.watch if command[0] == "watch" else self._server.events.unwatch
            change(self, command[1])
            self.answer(number, 200, b"{}")
            return
        reserve = self._reserve(command)
        if not self._server.loop.submit(lambda: self._execute(number, command), reserve):
            refusal = overloaded(exempting=self._server.exempting)
            self.answer(number, refusal.status, refusal.body)

    def _reserve(self, command: list[Any]) -> int:
        """Cancels and what only reduces a position lower the risk: the venue sheds them last, if it knows them."""
        exempt = command[0] in EXEMPT or (command[0] == "order" and command[3][7])
        exempt = exempt or (command[0] == "conditional" and (command[3][REDUCE_ONLY] or command[3][CLOSES]))
        return self._server.reserve if exempt else 0

    def _execute(self, number: bytes, command: list[Any]) -> None:
        status, body = self._server.exchange.execute(command, wall_ms())
        self.answer(number, status, body)
