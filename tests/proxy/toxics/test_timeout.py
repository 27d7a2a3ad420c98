import asyncio

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


async def test_data_begins_the_wait_anew(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("timeout", timeout=60)])
    loop = asyncio.get_running_loop()
    for _ in range(4):
        await rig.send(b"lost")
        await asyncio.sleep(0.03)
    last_s = loop.time() - 0.03
    assert await rig.end() is link
    assert loop.time() - last_s >= 0.058
    assert link.sink.sent_bytes == 0


async def test_an_update_sets_the_wait(rig: LinkRig) -> None:
    link = rig.link()
    toxic = make_toxic("timeout", timeout=0)
    link.apply([toxic])
    await asyncio.sleep(0.01)
    toxic.attributes = make_toxic("timeout", timeout=5).attributes
    link.apply([toxic])
    await asyncio.sleep(0.05)
    assert rig.ended == [link]
