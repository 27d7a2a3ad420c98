"""`slow_close`: the connection closes `delay` milliseconds after it should."""

from chaoskit.proxy.toxics.delay import END, DelayStage
from chaoskit.proxy.toxics.stage import Attributes, Milliseconds, register


class SlowCloseAttributes(Attributes):
    """How long the end is held back."""

    delay: Milliseconds = 0


@register("slow_close", SlowCloseAttributes)
class SlowClose(DelayStage[SlowCloseAttributes]):
    """Passes data on at once and holds the end back; lifting the toxic lets the end through."""

    __slots__ = ()

    def finish(self) -> None:
        """End later."""
        self.hold(END, self.lane.loop.time() + self.attributes.delay / 1e3)
