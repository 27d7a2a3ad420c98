"""A link's fault is lifted without a connection lost, where the server can and the fault has swallowed nothing."""

import pytest

from chaoskit.address import Address
from chaoskit.faults.contract import LinkAction, Toxic
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.server import ProxyServer
from tests.faults.support import free_address, link
from tests.support.sockets import Joined, join, listening, port_of, receive_exactly

SLOW = LinkAction((Toxic("latency", {"latency": 60_000}),))
HOLDING = [
    pytest.param(SLOW, id="latency"),
    pytest.param(LinkAction((Toxic("bandwidth", {"rate": 0}),)), id="bandwidth"),
    pytest.param(LinkAction((Toxic("slicer", {"average_size": 1, "delay": 10_000_000}),)), id="slicer"),
    pytest.param(LinkAction((Toxic("slow_close", {"delay": 60_000}),)), id="slow_close"),
    pytest.param(LinkAction((Toxic("latency", {"latency": 9000}, "upstream"), *SLOW.toxics)), id="both ways"),
]
SWALLOWING = [
    pytest.param(LinkAction((Toxic("timeout", {"timeout": 0}),)), id="timeout"),
    pytest.param(LinkAction((Toxic("limit_data", {"bytes": 1000}),)), id="limit_data"),
    pytest.param(LinkAction((*SLOW.toxics, Toxic("timeout", {"timeout": 0}, "upstream"))), id="one of two"),
]


def lives(joined: Joined) -> bool:
    """Return whether what the server has said arrives, all of it, and what the client then says."""
    try:
        answered = receive_exactly(joined.client, 4) == b"pong"
        joined.client.sendall(b"again")
        return answered and receive_exactly(joined.upstream, 5) == b"again"
    except OSError:
        return False


async def lifted(server: ProxyServer, action: LinkAction, other: LinkAction | None = None) -> tuple[bool, bool]:
    """Lift a fault while an answer is under way; return whether it arrived, and whether the link is quiet."""
    with listening() as upstream:
        listen = free_address()
        proxied = ProxiedLink(link(), listen, Address("127.0.0.1", port_of(upstream)), server.client, "web")
        await proxied.create()
        joined = join(str(listen), upstream)
        await proxied.apply("fault", action)
        if other is not None:
            await proxied.apply("other", other)
        joined.upstream.sendall(b"pong")
        await proxied.lift("fault")
        state = await server.client.find("web")
        assert state is not None
        assert state.toxics == (() if other is None else tuple(f"other.{t.type}.{t.stream}" for t in other.toxics))
        arrived = other is None and lives(joined)
        joined.close()
        await proxied.delete()
        return arrived, proxied.quiet.is_set()


@pytest.mark.parametrize("action", HOLDING)
async def test_what_was_held_arrives_when_the_fault_ends(server: ProxyServer, action: LinkAction) -> None:
    assert await lifted(server, action) == (server.kind == "embedded", True)


@pytest.mark.parametrize("action", SWALLOWING)
async def test_where_something_may_be_lost_the_connection_is_ended(server: ProxyServer, action: LinkAction) -> None:
    assert await lifted(server, action) == (False, True)


async def test_another_fault_goes_on(server: ProxyServer) -> None:
    assert await lifted(server, SLOW, LinkAction((Toxic("bandwidth", {"rate": 1}),))) == (False, False)


async def test_a_server_that_was_restarted_meanwhile_has_the_proxy_again(server: ProxyServer) -> None:
    proxied = ProxiedLink(link(), free_address(), free_address(), server.client, "web")
    await proxied.create()
    await proxied.apply("fault", SLOW)
    await server.restart()
    await proxied.lift("fault")
    assert (await server.client.list())["web"].toxics == ()
