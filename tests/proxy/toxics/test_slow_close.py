import asyncio

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


async def test_a_shorter_delay_holds_for_an_end_that_waits(rig: LinkRig) -> None:
    link = rig.link()
    toxic = make_toxic("slow_close", delay=60_000)
    link.apply([toxic])
    rig.sender.close()
    await asyncio.sleep(0.01)
    assert rig.ended == []
    toxic.attributes = make_toxic("slow_close", delay=1).attributes
    link.apply([toxic])
    await asyncio.sleep(0.05)
    assert rig.ended == [link]
