"""Stages that keep chunks until they are due: a queue in order of arrival and one timer for its head."""

import asyncio
import math
from collections import deque
from typing import Final

from chaoskit.proxy.toxics.stage import A, Lane, Output, Stage

END: Final = b""
"""Stands in a queue for the end of the stream; no real chunk is empty."""

NEVER_S: Final = math.inf
"""Due time of what is kept until the toxic changes or is lifted."""

_CHUNK_OVERHEAD_BYTES = 128
"""Counted on top of each held chunk, so that millions of one-byte chunks are bounded too."""

_TIMER_GRAIN_S = 1e-6


class DelayStage(Stage[A]):
    """Keeps chunks until their due times (the event loop's clock, in seconds), always in order."""

    __slots__ = ("_queue", "_timer")

    def __init__(self, toxic_name: str, attributes: A, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._queue: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def last_due_s(self) -> float:
        """When the newest chunk in the queue is due; 0 when nothing is held."""
        return self._queue[-1][0] if self._queue else 0.0

    def hold(self, chunk: bytes, due_s: float) -> None:
        """Pass `chunk` (or `END`) on at `due_s`, which must not lie before `last_due_s`."""
        self._queue.append((due_s, chunk))
        self.held_bytes += len(chunk) + _CHUNK_OVERHEAD_BYTES
        if len(self._queue) == 1:
            self._set_timer()

    def take_back(self) -> list[tuple[float, bytes]]:
        """Everything that is held, as (due time, chunk); nothing is held afterwards."""
        held = list(self._queue)
        self.discard()
        return held

    def finish(self) -> None:
        """End right after the last chunk that is held."""
        if self._queue:
            self.hold(END, self.last_due_s)
        else:
            self.output.finish()

    def update(self, attributes: A) -> None:
        """Go on with other attributes; what is held is planned anew, as if it had come just now."""
        super().update(attributes)
        for _, chunk in self.take_back():
            if chunk:
                self.feed(chunk)
            else:
                self.finish()

    def remove(self) -> None:
        """Pass on at once all that is held."""
        for _, chunk in self.take_back():
            self._pass_on(chunk)

    def discard(self) -> None:
        """Forget what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self.held_bytes = 0

    def _set_timer(self) -> None:
        due_s = self._queue[0][0]
        self._timer = None if due_s == NEVER_S else self.lane.loop.call_at(due_s, self._release)

    def _release(self) -> None:
        self._timer = None
        queue = self._queue
        now_s = self.lane.loop.time() + _TIMER_GRAIN_S
        while queue and queue[0][0] <= now_s:
            chunk = queue.popleft()[1]
            self.held_bytes -= len(chunk) + _CHUNK_OVERHEAD_BYTES
            self._pass_on(chunk)
        if queue:
            self._set_timer()
        self.lane.relieve()

    def _pass_on(self, chunk: bytes) -> None:
        if chunk:
            self.output.feed(chunk)
        else:
            self.output.finish()
