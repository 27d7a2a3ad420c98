"""One address for a database and its read replicas, as a cluster's endpoints or a connection pooler have it.

A connection whose start-up message says that it only reads (its `application_name` is `exchange.storage.READER`) goes
to the replica with the fewest; to the primary where none serves. All others go to the primary, also those that first
ask for TLS. A connection stays where it is: replicas that come later take what is opened from then on.
"""

import asyncio
from typing import cast

from exchange.positions.postgres import PostgresServer
from exchange.storage import READER

LENGTH_BYTES = 4
LONGEST_STARTUP_BYTES = 10_000  # PostgreSQL's own bound
_READS = b"\0application_name\0" + READER.encode() + b"\0"


class Router:
    """`replicas` are the servers that may be read from; `primary` takes all else."""

    def __init__(self, primary: PostgresServer) -> None:
        self.primary = primary
        self.replicas: list[PostgresServer] = []
        self.connections: dict[PostgresServer, set[_Client]] = {}

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen; close the returned server to stop."""
        return await asyncio.get_running_loop().create_server(lambda: _Client(self), host, port)

    def remove(self, server: PostgresServer) -> None:
        """Route nothing to `server` any more, and cut what is connected to it."""
        if server in self.replicas:
            self.replicas.remove(server)
        for client in self.connections.pop(server, set()):
            client.cut()

    def server_for(self, startup: bytes) -> PostgresServer:
        """Where a connection with this start-up message belongs."""
        alive = [server for server in self.replicas if server.exit_code() is None]
        if not alive or _READS not in startup:
            return self.primary
        return min(alive, key=lambda server: len(self.connections.get(server, ())))


class _Half(asyncio.Protocol):
    """One of two connections that are passed on to each other; who cannot take more holds up the other."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: _Half | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self.transport = None
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def cut(self) -> None:
        """Break both connections."""
        for half in (self, self.peer):
            if half is not None and half.transport is not None:
                half.transport.abort()


class _Client(_Half):
    """A client's connection: nothing is passed on before its start-up message says where to."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self._router = router
        self._startup = b""
        self._server: PostgresServer | None = None
        self._connecting: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            super().data_received(data)
            return
        self._startup += data
        length = int.from_bytes(self._startup[:LENGTH_BYTES], "big")
        if len(self._startup) >= LENGTH_BYTES and not LENGTH_BYTES <= length <= LONGEST_STARTUP_BYTES:
            self.cut()
        elif self._connecting is None and LENGTH_BYTES <= length <= len(self._startup):
            self._server = self._router.server_for(self._startup)
            self._router.connections.setdefault(self._server, set()).add(self)
            self._connecting = asyncio.get_running_loop().create_task(self._connect(self._server))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._server is not None:
            self._router.connections.get(self._server, set()).discard(self)
        if self._connecting is not None:
            self._connecting.cancel()

    async def _connect(self, server: PostgresServer) -> None:
        try:
            _, half = await asyncio.get_running_loop().create_connection(_Half, "127.0.0.1", server.port)
        except OSError:
            self.cut()
            return
        half.peer, self.peer = self, half
        if self.transport is None or half.transport is None:
            half.cut()
            return
        half.transport.write(self._startup)
