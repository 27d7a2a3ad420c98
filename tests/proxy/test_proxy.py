import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from chaoskit.proxy import proxy as proxy_module
from chaoskit.proxy.proxy import Proxy
from chaoskit.proxy.refusal import Refusal
from chaoskit.proxy.toxic import Direction
from tests.support.sockets import free_port
from tests.support.toxics import make_toxic


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
async def proxy(upstream: socket.socket) -> AsyncIterator[Proxy]:
    proxy = Proxy("web", "127.0.0.1:0", address(upstream), seed=1)
    await proxy.start()
    yield proxy
    proxy.stop()


def address(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


async def client_of(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = proxy.listen.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def accept(listener: socket.socket) -> socket.socket:
    server_side, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(listener), 2)
    server_side.setblocking(False)
    return server_side


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_a_client_is_joined_to_the_upstream(proxy: Proxy, upstream: socket.socket) -> None:
    reader, writer = await client_of(proxy)
    with await accept(upstream) as server_side:
        server_side.send(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert proxy.connection_count == 1
    assert await reader.read() == b""
    await close(writer)
    assert proxy.connection_count == 0
    assert proxy.transferred_bytes()[Direction.DOWNSTREAM, "received"] == 5
    assert proxy.transferred_bytes()[Direction.DOWNSTREAM, "sent"] == 5


async def test_an_upstream_that_refuses_closes_the_client(proxy: Proxy) -> None:
    await proxy.update(listen=proxy.listen, upstream=f"127.0.0.1:{free_port()}", enabled=True)
    reader, writer = await client_of(proxy)
    assert await asyncio.wait_for(reader.read(), 2) == b""
    await close(writer)
    assert proxy.failed_dials_count == 1


async def test_a_silent_upstream_is_given_up(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_module, "_DIAL_LIMIT_S", 0.02)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for waiter in waiting:
            waiter.setblocking(False)
            waiter.connect_ex(full.getsockname())
        await proxy.update(listen=proxy.listen, upstream=address(full), enabled=True)
        reader, writer = await client_of(proxy)
        assert await asyncio.wait_for(reader.read(), 2) == b""
        await close(writer)
        for waiter in waiting:
            waiter.close()
    assert proxy.failed_dials_count == 1


async def test_a_new_upstream_keeps_the_port_and_drops_connections(proxy: Proxy, upstream: socket.socket) -> None:
    reader, writer = await client_of(proxy)
    server_side = await accept(upstream)
    listen = proxy.listen
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        await proxy.update(listen=listen, upstream=address(other), enabled=True)
        assert proxy.listen == listen
        assert await reader.read() == b""
        _reader, second = await client_of(proxy)
        (await accept(other)).close()
        await close(second)
    server_side.close()
    await close(writer)


async def test_an_update_that_changes_nothing_keeps_connections(proxy: Proxy, upstream: socket.socket) -> None:
    reader, writer = await client_of(proxy)
    with await accept(upstream) as server_side:
        await proxy.update(listen=proxy.listen, upstream=proxy.upstream, enabled=True)
        server_side.send(b"still here")
        assert await reader.readexactly(10) == b"still here"
        await close(writer)


async def test_an_update_that_cannot_listen_changes_nothing(proxy: Proxy, upstream: socket.socket) -> None:
    before = proxy.listen, proxy.upstream
    with pytest.raises(Refusal, match="address already in use"):
        await proxy.update(listen=address(upstream), upstream="127.0.0.1:1", enabled=True)
    assert (proxy.listen, proxy.upstream) == before
    _reader, writer = await client_of(proxy)
    (await accept(upstream)).close()
    await close(writer)


async def test_disabled_and_enabled_again_it_has_the_same_port(proxy: Proxy, upstream: socket.socket) -> None:
    listen = proxy.listen
    await proxy.update(listen=listen, upstream=proxy.upstream, enabled=False)
    assert not proxy.enabled
    with pytest.raises(ConnectionRefusedError):
        await client_of(proxy)
    await proxy.start()
    assert proxy.listen == listen


async def test_out_of_descriptors_clients_wait(
    proxy: Proxy, upstream: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The listener fails once, as without free descriptors; the client is served once it works again."""
    monkeypatch.setattr(proxy_module, "_ACCEPT_PAUSE_S", 0.01)
    assert proxy._listener is not None
    failing = FailsOnce(proxy._listener)
    monkeypatch.setattr(proxy, "_listener", failing)
    _reader, writer = await client_of(proxy)
    (await accept(upstream)).close()
    await close(writer)
    assert "cannot accept" in caplog.text


class FailsOnce:
    """A listening socket whose first accept fails."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._failed = False

    def accept(self) -> tuple[socket.socket, object]:
        if not self._failed:
            self._failed = True
            raise OSError(24, "Too many open files")
        return self._listener.accept()

    def fileno(self) -> int:
        return self._listener.fileno()

    def close(self) -> None:
        self._listener.close()


async def test_toxics_by_name(proxy: Proxy) -> None:
    proxy.add_toxic(make_toxic("latency", "one"))
    with pytest.raises(Refusal, match="toxic already exists"):
        proxy.add_toxic(make_toxic("timeout", "one"))
    with pytest.raises(Refusal, match="toxic not found"):
        proxy.remove_toxic("two")
    proxy.remove_toxic("one")
    assert proxy.toxics == []


async def test_a_client_that_waits_for_its_dial_is_closed_with_the_proxy(proxy: Proxy) -> None:
    reader, writer = await client_of(proxy)
    proxy._accept()  # the dial's task exists and has not taken its first step
    proxy.stop()
    assert await asyncio.wait_for(reader.read(), 2) == b""
    await close(writer)


async def test_a_proxy_deleted_during_a_look_up_does_not_listen_again(proxy: Proxy) -> None:
    update = asyncio.ensure_future(proxy.update(listen="localhost:0", upstream="127.0.0.1:1", enabled=True))
    await asyncio.sleep(0)
    proxy.stop()
    with pytest.raises(Refusal, match="proxy not found"):
        await update
    assert not proxy.enabled
