"""A link's proxy listens where its near end can reach it, while the control API stays on 127.0.0.1."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import suppress

import pytest

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.errors import FaultFailed
from chaoskit.faults.server import IMAGE, ProxyServer
from chaoskit.faults.toxiproxy import ToxiproxyClient
from tests.faults.support import free_address, upstream

API_PORT = 8474
INSIDE_PORT = 9000


@pytest.fixture
def container() -> Iterator[tuple[Address, Address]]:
    """A container on a bridge network: the API of the Toxiproxy in it, and a free address on the network's gateway.

    That Toxiproxy is the client which the container needs: what it connects to, it reaches from inside.
    """
    engine = containers.connect()
    name = f"chaoskit-test-{secrets.token_hex(4)}"
    label = containers.labels(name, "")
    network = engine.networks.create(name, driver="bridge", labels=label)
    try:
        inside = engine.containers.run(IMAGE, network=name, name=name, labels=label, detach=True)
        try:
            inside.reload()
            place = inside.attrs["NetworkSettings"]["Networks"][name]
            yield Address(place["IPAddress"], API_PORT), Address(place["Gateway"], free_address().port)
        finally:
            inside.remove(force=True)
    finally:
        network.remove()
        engine.close()


async def say_hello(address: Address) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"hello\n")
    try:
        return await reader.readline()
    finally:
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


async def test_a_proxy_listens_on_another_address_of_loopback(server: ProxyServer) -> None:
    async with upstream("text") as behind:
        listen = Address("127.0.0.2", free_address().port)
        await server.client.create("web", listen, behind)
        found = await server.client.find("web")
        assert found is not None
        assert found.listen == listen
        assert await say_hello(listen) == b"echo hello\n"
        with pytest.raises(ConnectionRefusedError):
            await say_hello(Address("127.0.0.1", listen.port))
        await server.client.recreate("web", listen, behind)
        assert await say_hello(listen) == b"echo hello\n"


@pytest.mark.toxiproxy_image
async def test_a_container_reaches_a_proxy_on_its_networks_gateway(
    server: ProxyServer, container: tuple[Address, Address]
) -> None:
    api, gateway = container
    async with upstream("text") as behind:
        await server.client.create("web", gateway, behind)
        inside = ToxiproxyClient(api)
        async with asyncio.timeout(10):
            while True:
                with suppress(FaultFailed):  # its container has only just started
                    await inside.create("in", Address("0.0.0.0", INSIDE_PORT), gateway)
                    break
        assert await say_hello(Address(api.host, INSIDE_PORT)) == b"echo hello\n"
        await server.client.set_enabled("web", False)
        with suppress(ConnectionResetError):  # or a plain end: either way the door is closed
            assert await say_hello(Address(api.host, INSIDE_PORT)) == b""


async def test_the_control_api_is_on_127_0_0_1_alone(server: ProxyServer) -> None:
    assert server.client.address.host == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", server.client.address.port)
