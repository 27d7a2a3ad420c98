from chaoskit.proxy.toxics.slicer import Slicer, SlicerAttributes
from tests.proxy.toxics.test_delay import Recorder


async def slices(attributes: SlicerAttributes, data: bytes) -> list[bytes]:
    recorder = Recorder()
    stage = Slicer("t", attributes, recorder, recorder)
    stage.feed(data)
    stage.remove()
    return recorder.seen


async def test_sizes_lie_within_the_variation() -> None:
    data = bytes(range(256)) * 40
    cut = await slices(SlicerAttributes(average_size=100, size_variation=30), data)
    assert b"".join(cut) == data
    assert all(70 <= len(piece) <= 130 for piece in cut[:-1])
    assert len({len(piece) for piece in cut}) > 10


async def test_without_variation_all_are_equal() -> None:
    cut = await slices(SlicerAttributes(average_size=100), bytes(250))
    assert [len(piece) for piece in cut] == [100, 100, 50]


async def test_the_same_seed_cuts_the_same() -> None:
    attributes = SlicerAttributes(average_size=100, size_variation=99)
    assert await slices(attributes, bytes(5000)) == await slices(attributes, bytes(5000))


async def test_order_holds_between_chunks() -> None:
    recorder = Recorder()
    stage = Slicer("t", SlicerAttributes(average_size=2, delay=1000), recorder, recorder)
    stage.feed(b"aabb")
    stage.feed(b"cc")
    stage.finish()
    stage.remove()
    assert recorder.seen == [b"aa", b"bb", b"cc", b""]
