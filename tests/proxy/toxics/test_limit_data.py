import asyncio

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


async def test_a_limit_below_what_has_passed_ends_with_the_next_data(rig: LinkRig) -> None:
    link = rig.link()
    toxic = make_toxic("limit_data", bytes=10)
    link.apply([toxic])
    await rig.send(b"12345678")
    assert await rig.receive(8) == b"12345678"
    toxic.attributes = make_toxic("limit_data", bytes=4).attributes
    link.apply([toxic])
    await rig.send(b"x")
    await asyncio.sleep(0.02)
    assert rig.ended == [link]
    assert link.sink.sent_bytes == 8
