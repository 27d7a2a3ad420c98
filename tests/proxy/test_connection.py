import asyncio
import socket
from collections.abc import Iterator

import pytest

from chaoskit.proxy.connection import Connection
from chaoskit.proxy.toxic import Lot
from tests.support.toxics import make_toxic


class Ends:
    """A connection with the test as its client and as its upstream server."""

    def __init__(self) -> None:
        self.client, inner_client = _tcp_pair()
        self.upstream, inner_upstream = _tcp_pair()
        self._inner = (inner_client, inner_upstream)
        self.closed: list[Connection] = []

    def open(self) -> Connection:
        return Connection(*self._inner, Lot(1, "web", 1), [], self.closed.append)

    def close(self) -> None:
        for side in (self.client, self.upstream, *self._inner):
            side.close()


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        outer = socket.create_connection(listener.getsockname())
        inner, _ = listener.accept()
    outer.setblocking(False)
    inner.setblocking(False)
    return outer, inner


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


async def receive(side: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(side, 100), 2)


async def test_both_ways(ends: Ends) -> None:
    connection = ends.open()
    ends.client.send(b"ask")
    assert await receive(ends.upstream) == b"ask"
    ends.upstream.send(b"answer")
    assert await receive(ends.client) == b"answer"
    connection.close()


@pytest.mark.parametrize("first", ["client", "upstream"])
async def test_one_side_closing_closes_the_other(ends: Ends, first: str) -> None:
    connection = ends.open()
    side, other = (ends.client, ends.upstream) if first == "client" else (ends.upstream, ends.client)
    side.send(b"last words")
    side.close()
    assert await receive(other) == b"last words"
    assert await receive(other) == b""
    for _ in range(5):
        await asyncio.sleep(0)
    assert ends.closed == [connection]


async def test_what_the_other_way_holds_still_arrives(ends: Ends) -> None:
    connection = ends.open()
    connection.apply([make_toxic("latency", latency=30)])  # upstream
    ends.client.send(b"request")
    await asyncio.sleep(0.005)
    ends.upstream.shutdown(socket.SHUT_WR)
    assert await receive(ends.client) == b""
    assert await receive(ends.upstream) == b"request"
    connection.close()


async def test_reset_reaches_both_sides(ends: Ends) -> None:
    ends.open().reset()
    for side in (ends.client, ends.upstream):
        with pytest.raises(ConnectionResetError):
            await receive(side)
    assert len(ends.closed) == 1


async def test_close_is_said_once(ends: Ends) -> None:
    connection = ends.open()
    connection.close()
    connection.close()
    connection.reset()
    assert ends.closed == [connection]
