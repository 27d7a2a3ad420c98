"""The store's TCP protocol, the engine's in form: one line per message, many requests in flight on one connection.

client                                        store
ping                                          pong
<id> ["hello"]                                <id> 200 {"accounts": 0}
<id> ["put", token, account, expires_ms]      <id> 200 {}
<id> ["get", token]                           <id> 200 {"account": …, "expires": …}, or {} where there is none
"""

import asyncio
from time import monotonic
from typing import Any

import orjson
from service.wall import wall_ms
from service.workers import NoWorker, Workers

from exchange.auth.store import SessionStore
from exchange.failures import unavailable

WAIT_S = 2.0


class Slots(Workers):
    """How many requests the store serves at once, each for its service time."""

    def __init__(self, slots: int, queue_limit: int, service_s: float) -> None:
        super().__init__(slots, queue_limit, service_s)
        self.name = "store"


class AuthServer:
    """Serves the sessions of `store`, each request in one of `slots`."""

    def __init__(self, store: SessionStore, slots: Slots) -> None:
        self._store = store
        self._slots = slots
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen; close the returned server to stop."""
        return await asyncio.start_server(self._serve, host, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(line, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except ConnectionError:
            pass  # a gateway that went away
        finally:
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        if line == b"ping\n":
            writer.write(b"pong\n")
            return
        number, _, text = line.partition(b" ")
        try:
            status, body = await self._execute(orjson.loads(text))
        except (LookupError, TypeError, ValueError):
            writer.close()  # no request of ours
            return
        writer.write(b"%s %d %s\n" % (number, status, body))

    async def _execute(self, command: list[Any]) -> tuple[int, bytes]:
        if command[0] == "hello":
            return 200, orjson.dumps({"accounts": 0})
        try:
            started_s = await self._slots.acquire(monotonic() + WAIT_S)
        except NoWorker:
            return unavailable().status, unavailable().body
        found = None
        if command[0] == "put":
            _, token, account, expires_ms = command
            self._store.put(token, account, expires_ms, wall_ms())
        else:
            found = self._store.get(command[1], wall_ms())
        rest_s = self._slots.release(started_s, 0.0)
        if rest_s:
            await self._slots.rest(rest_s)
        return 200, orjson.dumps({"account": found[0], "expires": found[1]} if found else {})
