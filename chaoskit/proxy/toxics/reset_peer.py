"""`reset_peer`: `timeout` milliseconds after the first data (or the end), a TCP RST on both sides."""

import asyncio

from chaoskit.proxy.toxics.delay import END, NEVER_S, DelayStage
from chaoskit.proxy.toxics.stage import Attributes, Lane, Milliseconds, Output, register


class ResetPeerAttributes(Attributes):
    """How long after the first data the connection is reset; 0 is at once."""

    timeout: Milliseconds = 0


@register("reset_peer", ResetPeerAttributes)
class ResetPeer(DelayStage[ResetPeerAttributes]):
    """Holds all data back, then resets. Lifted in between, it lets the data through: the connection lives."""

    __slots__ = ("_reset_timer",)

    def __init__(self, toxic_name: str, attributes: ResetPeerAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._reset_timer: asyncio.TimerHandle | None = None

    def feed(self, chunk: bytes) -> None:
        """Keep the data and wind up the reset."""
        self.hold(chunk, NEVER_S)
        if self._reset_timer is None:
            self._reset_timer = self.lane.loop.call_later(self.attributes.timeout / 1e3, self.lane.reset)

    def finish(self) -> None:
        """The end counts as data."""
        self.feed(END)

    def discard(self) -> None:
        """Call the reset off."""
        super().discard()
        if self._reset_timer is not None:
            self._reset_timer.cancel()
            self._reset_timer = None
