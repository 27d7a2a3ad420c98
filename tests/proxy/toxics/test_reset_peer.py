import asyncio

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


async def test_lifted_in_time_the_data_arrives(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("reset_peer", timeout=60_000)])
    await rig.send(b"held")
    await asyncio.sleep(0.01)
    link.apply([])
    assert await rig.receive(4) == b"held"
    assert rig.resets == 0
    link.discard()


async def test_the_end_counts_as_data(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("reset_peer", timeout=0)])
    rig.sender.close()
    await asyncio.sleep(0.02)
    assert rig.resets == 1
    link.discard()
