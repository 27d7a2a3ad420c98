"""One load process's hand-over, in this process: a stand-in for the player, real pipes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"  # before the first import of locust

import gevent

from chaoskit.load.child import Child
from chaoskit.load.messages import DONE
from chaoskit.load.outcomes import Recorder
from chaoskit.load.pipes import LineReader, Writer
from chaoskit.load.player import Player
from chaoskit.records import Record, SampleBatch, decode


class _Playing:
    error: BaseException | None = None


class _Recording:
    """Plays nothing: it records one arrival a second of the run, and calls `interrupt` in the middle of a hand-up."""

    def __init__(self) -> None:
        self.playing = _Playing()
        self.recorder = Recorder("trading", "client->web")
        self.recorded = 0
        self.child: Child | None = None
        self.record(50)

    def record(self, arrivals: int) -> None:
        for _ in range(arrivals):
            start_us = self.recorded * 1_000_000
            self.recorder.ok(start_us, start_us, start_us + 1000, 1)
            self.recorded += 1

    def records(self) -> Iterator[Record]:
        for number, batch in enumerate(self.recorder.take().batches(0)):
            yield batch
            if number == 20 and self.child is not None:
                self.child.stop()
                self.child = None
                self.record(7)

    def release(self, zero_s: float) -> None: ...

    def left_s(self) -> float:
        return 60.0

    def drain(self) -> None: ...

    def stop(self) -> None: ...


@contextmanager
def _pipes() -> Iterator[tuple[LineReader, Writer, int]]:
    """The child's two ends, and where its parent reads."""
    down, up = os.pipe(), os.pipe()
    writer = Writer(up[1])
    try:
        yield LineReader(down[0]), writer, up[0]
    finally:
        os.close(down[1])
        gevent.sleep(0.01)  # the child's watch of its parent sees the end
        for descriptor in (down[0], up[0], up[1], writer._descriptor):
            os.close(descriptor)


def test_what_is_in_the_middle_of_being_handed_up_at_the_end_is_not_lost() -> None:
    player = _Recording()
    with _pipes() as (reader, writer, parent):
        player.child = child = Child(cast("Player", player), reader, writer)
        assert child.play(0.0) == 0
        *lines, last = os.read(parent, 1 << 20).splitlines(keepends=True)
    handed_up = [record for record in map(decode, lines) if isinstance(record, SampleBatch)]
    assert last == DONE
    assert sum(batch.ok for batch in handed_up) == player.recorded == 57
