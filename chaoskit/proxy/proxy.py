"""One proxy: a listening socket, the connections through it, and the toxics that disturb them."""

import asyncio
import logging
import socket
from collections import Counter

from chaoskit.address import Address
from chaoskit.proxy.address import SocketAddress, bound_address, listen_on, parse, resolve
from chaoskit.proxy.connection import Connection
from chaoskit.proxy.refusal import Refusal
from chaoskit.proxy.toxic import Direction, Lot, Toxic

_log = logging.getLogger(__name__)

_ACCEPTS_PER_TURN = 64
_ACCEPT_PAUSE_S = 0.1
_DIAL_LIMIT_S = 10.0


class Proxy:
    """Accepts clients on `listen` while enabled and joins each to a connection of its own to `upstream`.

    All methods but those that may look up a host name return at once, whatever the connections do.
    """

    def __init__(self, name: str, listen: str, upstream: str, seed: int) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self._seed = seed
        self._toxics: list[Toxic] = []
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._dials: dict[asyncio.Task[None], socket.socket] = {}
        self._stopped = False
        self._accepted_count = 0
        self.failed_dials_count = 0
        self._closed_bytes: Counter[tuple[Direction, str]] = Counter()

    @property
    def enabled(self) -> bool:
        """Whether the proxy listens."""
        return self._listener is not None

    @property
    def toxics(self) -> list[Toxic]:
        """The toxics, upstream ones first, each direction in the order in which data passes them."""
        return sorted(self._toxics, key=lambda toxic: toxic.direction is Direction.DOWNSTREAM)

    @property
    def connection_count(self) -> int:
        """How many clients are connected through the proxy now."""
        return len(self._connections)

    async def start(self) -> None:
        """Listen. Raises Refusal (500) when the address cannot be had; nothing to do when already enabled."""
        if not self.enabled:
            await self.update(listen=self.listen, upstream=self.upstream, enabled=True)

    async def update(self, *, listen: str, upstream: str, enabled: bool) -> None:
        """Listen elsewhere, lead elsewhere, be enabled or not. Connections survive only if nothing changes.

        Raises Refusal: 500 when `listen` cannot be had (the proxy then stays as it was), 404 when the proxy
        was stopped while a host name was looked up.
        """
        place = await self._place(listen)
        if self._stopped:
            raise Refusal(404, "proxy not found")
        moves = self._moves(place)
        if not enabled:
            listener = None
        elif moves or self._listener is None:
            listener = self._bind(place)
        else:
            listener = self._listener
        if moves or upstream != self.upstream or not enabled:
            self._drop_connections()
        self.upstream = upstream
        self.listen = str(bound_address(listener)) if listener else (listen if moves else self.listen)
        if listener is not self._listener:
            self._close_listener()
            self._listener = listener
            if listener:
                asyncio.get_running_loop().add_reader(listener, self._accept)

    async def would_change(self, *, listen: str, upstream: str) -> bool:
        """Whether `update` to these would drop connections. Raises Refusal (500) when `listen` is unknown."""
        return self._moves(await self._place(listen)) or upstream != self.upstream

    def stop(self) -> None:
        """Stop listening and close every connection, for good."""
        self._stopped = True
        self._close_listener()
        self._drop_connections()

    def find_toxic(self, name: str) -> Toxic:
        """The toxic with that name. Raises Refusal (404)."""
        for toxic in self._toxics:
            if toxic.name == name:
                return toxic
        raise Refusal(404, "toxic not found")

    def add_toxic(self, toxic: Toxic) -> None:
        """Disturb data from now on, on open connections too. Raises Refusal (409) when the name is taken."""
        if any(other.name == toxic.name for other in self._toxics):
            raise Refusal(409, "toxic already exists")
        self._toxics.append(toxic)
        self.apply_toxics()

    def remove_toxic(self, name: str) -> None:
        """Lift a toxic: data that it holds goes out at once. Raises Refusal (404)."""
        self._toxics.remove(self.find_toxic(name))
        self.apply_toxics()

    def remove_all_toxics(self) -> None:
        """Lift every toxic."""
        self._toxics.clear()
        self.apply_toxics()

    def apply_toxics(self) -> None:
        """Make every open connection follow the toxics as they are now."""
        for connection in list(self._connections):
            connection.apply(self._toxics)

    def transferred_bytes(self) -> Counter[tuple[Direction, str]]:
        """Bytes by (direction, `received` or `sent`), over all connections so far, open ones included."""
        total = Counter(self._closed_bytes)
        for connection in self._connections:
            total.update(_transferred_bytes(connection))
        return total

    async def _place(self, listen: str) -> SocketAddress:
        try:
            return (await resolve(parse(listen)))[0]
        except OSError as error:
            raise Refusal(500, f"listen tcp: {error}") from error

    def _moves(self, place: SocketAddress) -> bool:
        return str(Address(*place[1])) != self.listen

    def _bind(self, place: SocketAddress) -> socket.socket:
        try:
            return listen_on(*place)
        except OSError as error:
            raise Refusal(500, error.strerror or str(error)) from error

    def _close_listener(self) -> None:
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _drop_connections(self) -> None:
        for dial, client in self._dials.items():
            if not dial.done():
                dial.cancel()
                client.close()  # here: a task that is cancelled before its first step never runs
        for connection in list(self._connections):
            connection.close()

    def _accept(self) -> None:
        listener = self._listener
        for _ in range(_ACCEPTS_PER_TURN):
            if listener is None:
                return
            try:
                client, _peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                # Out of file descriptors or memory: clients wait in the backlog until some are free again.
                _log.warning("proxy %s cannot accept, trying again in %s s: %s", self.name, _ACCEPT_PAUSE_S, error)
                self._pause_accepting(listener)
                return
            client.setblocking(False)
            self._accepted_count += 1
            dial = asyncio.ensure_future(self._join(client, self._accepted_count))
            self._dials[dial] = client
            dial.add_done_callback(self._dials.pop)

    def _pause_accepting(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)

        def resume() -> None:
            if self._listener is listener:
                loop.add_reader(listener, self._accept)

        loop.call_later(_ACCEPT_PAUSE_S, resume)

    async def _join(self, client: socket.socket, number: int) -> None:
        try:
            async with asyncio.timeout(_DIAL_LIMIT_S):
                upstream = await _dial(parse(self.upstream))
        except (OSError, TimeoutError) as error:
            self.failed_dials_count += 1
            _log.info("proxy %s cannot reach %s: %s", self.name, self.upstream, str(error) or "no answer in time")
            client.close()
            return
        lot = Lot(self._seed, self.name, number)
        self._connections.add(Connection(client, upstream, lot, self._toxics, self._closed))

    def _closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._closed_bytes.update(_transferred_bytes(connection))


def _transferred_bytes(connection: Connection) -> dict[tuple[Direction, str], int]:
    return {
        (link.direction, way): count
        for link in (connection.uplink, connection.downlink)
        for way, count in (("received", link.received_bytes), ("sent", link.sink.sent_bytes))
    }


async def _dial(address: Address) -> socket.socket:
    """A non-blocking socket connected to the first of the host's addresses that answers. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"{address} has no address")
    for family, place in await resolve(address):
        upstream = socket.socket(family, socket.SOCK_STREAM)
        upstream.setblocking(False)
        try:
            await loop.sock_connect(upstream, place)
        except OSError as error:
            upstream.close()
            failure = error
        except BaseException:
            upstream.close()
            raise
        else:
            return upstream
    raise failure
