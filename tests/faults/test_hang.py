"""Faults are lifted through the adapter while one client has stopped reading and sixteen others come and go.

Real Toxiproxy hangs then whenever a toxic is removed (tests/conformance/test_stalled_reader.py shows it).
"""

import asyncio
import time

import pytest

from chaoskit.address import Address
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import LinkAction, Toxic
from chaoskit.faults.link import ProxiedLink
from chaoskit.faults.server import ProxyServer
from tests.faults.support import free_address, link
from tests.support.churn import churn
from tests.support.sockets import fill, join, listening, port_of

TRIALS = 15
PROMPT_S = 2.0
SLOW = LinkAction((Toxic("latency", {"latency": 5}),))
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def lift_under_load(server: ProxyServer) -> float:
    """Return how long the lifting took and a listing of all proxies after it, in seconds."""
    with listening() as flooded:
        listen = free_address()
        proxied = ProxiedLink(link(), listen, Address("127.0.0.1", port_of(flooded)), server.client, "web")
        await proxied.create()
        await proxied.apply("slow", SLOW)
        stalled = join(str(listen), flooded)
        await asyncio.to_thread(fill, stalled.upstream, 20)
        with churn(str(listen), flooded):
            begun_s = time.monotonic()
            await proxied.lift("slow")
            await server.client.list()
            took_s = time.monotonic() - begun_s
        assert (await server.client.list())["web"].toxics == ()
        stalled.close()
        await proxied.delete()
        return took_s


async def test_lifting_through_the_adapter_never_hangs(shared_server: ProxyServer) -> None:
    took_s: list[float] = []
    hung: list[str] = []
    for trial in range(TRIALS):
        try:
            took_s.append(await lift_under_load(shared_server))
        except FaultFailed as error:
            hung.append(f"trial {trial}: {error}")
            await shared_server.restart()
    assert not hung, f"{len(hung)} of {TRIALS} on {shared_server.kind}"
    assert max(took_s) < PROMPT_S
