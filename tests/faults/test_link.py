"""Connections through a link whose fault is lifted."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaoskit.address import Address
from chaoskit.faults.contract import LinkAction, Toxic
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.server import ProxyServer
from tests.faults.support import free_address, link, serving

SLOW = LinkAction(
    (Toxic("latency", {"latency": 200}), Toxic("slicer", {"average_size": 2, "size_variation": 0, "delay": 1}))
)
CUT = LinkAction((Toxic("timeout", {"timeout": 0}),))
SHUT = LinkAction(enabled=False)
pytestmark = pytest.mark.asyncio


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    """Return how long an answer takes, in seconds."""
    begun_s = time.monotonic()
    writer.write(b"hello")
    async with asyncio.timeout(5):
        assert await reader.readexactly(5) == b"hello"
    return time.monotonic() - begun_s


@asynccontextmanager
async def proxied_echo(server: ProxyServer) -> AsyncIterator[tuple[ProxiedLink, Address]]:
    """A link to a server that echoes, and where it listens."""
    async with serving(echo) as upstream:
        proxied = ProxiedLink(link(), free_address(), upstream, server.client, "web")
        await proxied.create()
        yield proxied, proxied.listen
        await proxied.delete()


async def test_connections_outlive_what_only_delays_where_the_server_allows_it(server: ProxyServer) -> None:
    async with proxied_echo(server) as (proxied, listen):
        reader, writer = await asyncio.open_connection(*listen)
        await ask(reader, writer)
        await proxied.apply("slow", SLOW)
        assert await ask(reader, writer) >= 0.2
        await proxied.lift("slow")
        if server.kind == "embedded":
            assert await ask(reader, writer) < 0.2
        else:
            assert await reader.read(1) == b""
        writer.close()
        again = await asyncio.open_connection(*listen)
        assert await ask(*again) < 0.2
        again[1].close()
        state = await server.client.find("web")
        assert state is not None
        assert state.toxics == ()
        assert proxied.quiet.is_set()


@pytest.mark.parametrize("action", [CUT, SHUT])
async def test_what_loses_data_ends_connections(server: ProxyServer, action: LinkAction) -> None:
    async with proxied_echo(server) as (proxied, listen):
        reader, writer = await asyncio.open_connection(*listen)
        await ask(reader, writer)
        await proxied.apply("cut", action)
        await proxied.lift("cut")
        async with asyncio.timeout(5):
            assert await reader.read(1) == b""
        writer.close()
        again = await asyncio.open_connection(*listen)
        await ask(*again)
        again[1].close()


async def test_other_faults_stay(server: ProxyServer) -> None:
    async with proxied_echo(server) as (proxied, listen):
        await proxied.apply("slow", SLOW)
        await proxied.apply("slower", LinkAction((Toxic("latency", {"latency": 300}),)))
        await proxied.lift("slow")
        reader, writer = await asyncio.open_connection(*listen)
        assert await ask(reader, writer) >= 0.3
        writer.close()
        assert not proxied.quiet.is_set()
        await proxied.lift("slower")
