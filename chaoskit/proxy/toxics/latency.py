"""`latency`: data arrives `latency` ± `jitter` milliseconds later (uniform, drawn for each chunk)."""

from random import Random

from chaoskit.proxy.toxics.delay import DelayStage
from chaoskit.proxy.toxics.stage import Attributes, Lane, Milliseconds, Output, register


class LatencyAttributes(Attributes):
    """A delay below zero (jitter above latency) counts as none."""

    latency: Milliseconds = 0
    jitter: Milliseconds = 0


@register("latency", LatencyAttributes)
class Latency(DelayStage[LatencyAttributes]):
    """Delays each chunk, in order: none is due before the one ahead of it. The end is not delayed itself."""

    __slots__ = ("_random",)

    # What is in flight on a slow, fat link: 8 MiB carry 200 MB/s at 40 ms.
    buffer_bytes = 8 * 1024 * 1024

    def __init__(self, toxic_name: str, attributes: LatencyAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._random: Random | None = None

    def feed(self, chunk: bytes) -> None:
        """Keep the chunk for its delay."""
        self.hold(chunk, max(self.lane.loop.time() + self._delay_s(), self.last_due_s))

    def update(self, attributes: LatencyAttributes) -> None:
        """Move the due times of what is held by the difference of the latencies."""
        shift_s = (attributes.latency - self.attributes.latency) / 1e3
        self.attributes = attributes
        for due_s, chunk in self.take_back():
            self.hold(chunk, due_s + shift_s)

    def _delay_s(self) -> float:
        attributes = self.attributes
        if not attributes.jitter:
            return attributes.latency / 1e3
        if self._random is None:
            self._random = self.lane.random(self.toxic_name)
        return (attributes.latency + self._random.uniform(-attributes.jitter, attributes.jitter)) / 1e3
