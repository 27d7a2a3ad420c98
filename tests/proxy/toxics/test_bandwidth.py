import asyncio

import pytest

from tests.support.links import LinkRig
from tests.support.toxics import make_toxic


@pytest.mark.parametrize(("rate", "size"), [(1000, 50_000), (10, 500)])
async def test_the_rate_is_kept(rig: LinkRig, rate: int, size: int) -> None:
    link = rig.link()
    link.apply([make_toxic("bandwidth", rate=rate)])
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    await rig.send(bytes(size))
    assert len(await rig.receive(size)) == size
    assert loop.time() - started_s >= size / (rate * 1000) - 0.001
    link.discard()


async def test_data_comes_evenly_rather_than_at_the_end(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("bandwidth", rate=100)])
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    await rig.send(bytes(10_000))
    await rig.receive(1000)
    assert loop.time() - started_s < 0.09
    link.discard()


async def test_a_new_rate_holds_for_what_is_held(rig: LinkRig) -> None:
    link = rig.link()
    toxic = make_toxic("bandwidth", rate=1)
    link.apply([toxic])
    await rig.send(bytes(100_000))
    await asyncio.sleep(0.01)
    toxic.attributes = make_toxic("bandwidth", rate=10_000).attributes
    link.apply([toxic])
    assert len(await asyncio.wait_for(rig.receive(100_000), 2)) == 100_000
    link.discard()
