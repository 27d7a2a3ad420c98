"""Jitter and order; that data is late at all, and lifting, stand in the conformance suite."""

import asyncio

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


async def arrivals_ms(rig: LinkRig) -> list[int]:
    """When each of ten chunks, sent one after the other's arrival, came out; in whole ms."""
    loop = asyncio.get_running_loop()
    link = rig.link()
    link.apply([make_toxic("latency", latency=20, jitter=15)])
    delays = []
    for _ in range(10):
        started_s = loop.time()
        await rig.send(b"x")
        await rig.receive(1)
        delays.append((loop.time() - started_s) * 1e3)
    link.discard()
    return [round(delay) for delay in delays]


async def test_jitter_is_drawn_within_its_range(rig: LinkRig) -> None:
    delays = await arrivals_ms(rig)
    assert min(delays) >= 5
    assert len(set(delays)) > 3


async def test_an_update_moves_what_is_held(rig: LinkRig) -> None:
    link = rig.link()
    toxic = make_toxic("latency", latency=60_000)
    link.apply([toxic])
    for chunk in (b"a", b"b", b"c"):
        await rig.send(chunk)
        await asyncio.sleep(0.001)
    toxic.attributes = make_toxic("latency", latency=10).attributes
    link.apply([toxic])
    assert await rig.receive(3) == b"abc"
    link.discard()


async def test_the_end_waits_for_the_data_ahead_of_it(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("latency", latency=20)])
    await rig.send(b"data")
    rig.sender.close()
    assert await rig.receive(4) == b"data"
    await asyncio.sleep(0)
    assert rig.ended == [link]
