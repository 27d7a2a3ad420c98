import asyncio
import socket

import pytest
import toxiproxy.api
import toxiproxy.server

from chaoskit.address import Address
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import Toxic
from chaoskit.faults.server import ProxyServer
from chaoskit.faults.toxiproxy import ToxiproxyClient
from tests.faults.support import free_address

SLOW = Toxic("latency", {"latency": 100, "jitter": 0})
UPSTREAM = Address("127.0.0.1", 9)


async def test_a_proxy_is_created_listed_changed_and_deleted(server: ProxyServer) -> None:
    client, listen = server.client, free_address()
    name = "run-1.client->gateway@us-east-1"
    await client.create(name, listen, UPSTREAM)
    await client.add_toxic(name, "latency-1.latency.downstream", SLOW)
    found = await client.find(name)
    assert found is not None
    assert (found.listen, found.upstream, found.enabled) == (listen, UPSTREAM, True)
    assert found.toxics == ("latency-1.latency.downstream",)
    await client.set_enabled(name, False)
    assert not (await client.list())[name].enabled
    await client.recreate(name, listen, UPSTREAM)
    again = await client.find(name)
    assert again is not None
    assert again.enabled
    assert not again.toxics
    await client.delete(name)
    await client.delete(name)
    assert await client.find(name) is None


async def test_what_the_server_refuses_is_told_in_a_sentence(server: ProxyServer) -> None:
    client, listen = server.client, free_address()
    await client.create("a->b", listen, UPSTREAM)
    with pytest.raises(FaultFailed, match="could not create proxy a->b"):
        await client.create("a->b", free_address(), UPSTREAM)
    with pytest.raises(FaultFailed, match="refused POST /proxies"):
        await client.create("c->d", listen, UPSTREAM)
    with pytest.raises(FaultFailed, match=r"could not add toxic slow to proxy x->y: .*404"):
        await client.add_toxic("x->y", "slow", SLOW)
    with pytest.raises(FaultFailed, match=r"could not add toxic odd to proxy a->b: .*400"):
        await client.add_toxic("a->b", "odd", Toxic("gravity", {}))


async def test_two_servers_at_once_do_not_redirect_each_other(server: ProxyServer) -> None:
    absent = ToxiproxyClient(free_address())
    outcomes = await asyncio.gather(
        *(client.version() for _ in range(5) for client in (server.client, absent)), return_exceptions=True
    )
    assert outcomes[::2] == [server.version] * 5
    assert all(isinstance(outcome, FaultFailed) for outcome in outcomes[1::2])
    assert toxiproxy.server.APIConsumer is toxiproxy.api.APIConsumer


async def test_a_server_that_does_not_answer_is_given_up_after_two_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = ToxiproxyClient(Address("127.0.0.1", silent.getsockname()[1]))
        async with asyncio.timeout(6):
            with pytest.raises(FaultFailed, match=r"did not answer within 2s \(GET /version\)"):
                await client.version()
