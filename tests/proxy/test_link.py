import asyncio

import pytest

from chaoskit.proxy.toxic import Toxic
from tests.support.links import LinkRig
from tests.support.toxics import make_toxic

MEBIBYTE = 1024 * 1024


async def settle() -> None:
    """Let the event loop take all turns that it has to take now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def flood(rig: LinkRig, limit_bytes: int = 64 * MEBIBYTE) -> int:
    """Send until the link takes no more; how many bytes went in."""
    sent = 0
    block = bytes(64 * 1024)
    idle_turns = 0
    while sent < limit_bytes and idle_turns < 20:
        try:
            sent += rig.sender.send(block)
            idle_turns = 0
        except BlockingIOError:
            idle_turns += 1
            await asyncio.sleep(0.001)
    return sent


async def test_data_passes_and_is_counted(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([])
    await rig.send(b"hello")
    assert await rig.receive(5) == b"hello"
    assert (link.received_bytes, link.sink.sent_bytes) == (5, 5)
    link.discard()


async def test_the_end_passes_once(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([])
    await rig.send(b"x")
    rig.sender.close()
    assert await rig.receive(1) == b"x"
    await settle()
    assert rig.ended == [link]
    link.end_input()
    await settle()
    assert rig.ended == [link]


@pytest.mark.parametrize(
    ("toxics", "most_bytes"),
    [
        pytest.param([], 1 * MEBIBYTE, id="no toxic"),
        pytest.param([make_toxic("bandwidth", rate=0)], 1 * MEBIBYTE, id="bandwidth 0"),
        pytest.param([make_toxic("latency", latency=60_000)], 9 * MEBIBYTE, id="latency"),
    ],
)
async def test_a_stalled_reader_costs_bounded_memory(rig: LinkRig, toxics: list[Toxic], most_bytes: int) -> None:
    link = rig.link()
    link.apply(toxics)
    assert await flood(rig) < most_bytes
    link.discard()


async def test_small_chunks_cost_bounded_memory_too(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("bandwidth", rate=0)])
    sent = 0
    for _ in range(20_000):
        try:
            sent += rig.sender.send(b"x")
        except BlockingIOError:
            break
        await asyncio.sleep(0)
    assert sent < 5000
    link.discard()


async def test_reading_goes_on_when_the_reader_does(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([])
    sent = await flood(rig)
    assert len(await rig.receive(sent)) == sent
    await rig.send(b"again")
    assert await rig.receive(5) == b"again"
    link.discard()


async def test_reading_goes_on_when_a_toxic_is_lifted(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("bandwidth", rate=0)])
    sent = await flood(rig)
    link.apply([])
    assert len(await rig.receive(sent)) == sent
    link.discard()


async def test_a_broken_target_ends_the_link(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([])
    rig.receiver.close()
    await rig.send(b"x")
    await settle()
    assert rig.ended == [link]


async def test_a_target_that_breaks_while_data_waits_ends_the_link(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([])
    await flood(rig)
    rig.receiver.close()
    await settle()
    assert rig.ended == [link]
    assert link.sink.held_bytes == 0


async def test_toxics_stay_in_order_when_one_in_the_middle_comes_and_goes(rig: LinkRig) -> None:
    link = rig.link()
    first, middle, last = (
        make_toxic("latency", "first", latency=60_000),
        make_toxic("bandwidth", "middle", rate=0),
        make_toxic("limit_data", "last", bytes=6),
    )
    link.apply([first, last])
    await rig.send(b"abc")
    await settle()
    link.apply([first, middle, last])
    link.apply([middle, last])  # what `first` held is now held by `middle`
    await rig.send(b"defgh")
    await settle()
    link.apply([last])
    assert await rig.receive(6) == b"abcdef"
    await settle()
    assert rig.ended == [link]


async def test_nothing_happens_after_discard(rig: LinkRig) -> None:
    link = rig.link()
    link.apply([make_toxic("latency", latency=1), make_toxic("timeout", "t", timeout=1)])
    await rig.send(b"x")
    link.discard()
    link.apply([])
    await asyncio.sleep(0.01)
    assert rig.ended == []
    with pytest.raises(BlockingIOError):
        rig.receiver.recv(1)
