import asyncio
from random import Random

from chaoskit.proxy.toxics.delay import END, NEVER_S, DelayStage
from chaoskit.proxy.toxics.stage import Attributes


class Recorder:
    """An output and a lane that write down what they are told."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.seen: list[bytes] = []
        self.relieved = 0
        self.ended = asyncio.Event()

    def feed(self, chunk: bytes) -> None:
        self.seen.append(chunk)

    def finish(self) -> None:
        self.seen.append(END)
        self.ended.set()

    def random(self, toxic_name: str) -> Random:
        return Random(toxic_name)

    def stop_reading(self) -> None: ...

    def relieve(self) -> None:
        self.relieved += 1

    def reset(self) -> None: ...


async def test_chunks_come_when_due_and_in_order() -> None:
    recorder = Recorder()
    stage = DelayStage("t", Attributes(), recorder, recorder)
    now_s = recorder.loop.time()
    stage.hold(b"a", now_s + 0.005)
    stage.hold(b"b", now_s + 0.005)
    stage.hold(b"c", now_s + 0.010)
    stage.finish()
    assert recorder.seen == []
    assert stage.held_bytes > 3
    await asyncio.wait_for(recorder.ended.wait(), 2)
    assert recorder.seen == [b"a", b"b", b"c", END]
    assert recorder.loop.time() >= now_s + 0.010
    assert stage.held_bytes == 0
    assert recorder.relieved >= 1


async def test_removal_passes_everything_on_at_once() -> None:
    recorder = Recorder()
    stage = DelayStage("t", Attributes(), recorder, recorder)
    stage.hold(b"a", NEVER_S)
    stage.hold(END, NEVER_S)
    stage.remove()
    assert recorder.seen == [b"a", END]


async def test_discard_forgets_everything() -> None:
    recorder = Recorder()
    stage = DelayStage("t", Attributes(), recorder, recorder)
    stage.hold(b"a", recorder.loop.time() + 0.001)
    stage.discard()
    await asyncio.sleep(0.005)
    assert recorder.seen == []
    assert stage.held_bytes == 0
