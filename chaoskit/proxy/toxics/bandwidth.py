"""`bandwidth`: no more than `rate` kilobytes a second; 0 lets nothing through."""

from chaoskit.proxy.toxics.delay import NEVER_S, DelayStage
from chaoskit.proxy.toxics.stage import Attributes, KilobytesPerSecond, Lane, Output, register

_PIECE_MS = 10
_PIECE_MIN_BYTES = 100


class BandwidthAttributes(Attributes):
    """The rate; 1 KB is 1,000 bytes."""

    rate: KilobytesPerSecond = 0


@register("bandwidth", BandwidthAttributes)
class Bandwidth(DelayStage[BandwidthAttributes]):
    """Paces pieces of 10 ms (at least 100 bytes) on a virtual clock, so that timer errors never add up."""

    __slots__ = ("_free_at_s",)

    def __init__(self, toxic_name: str, attributes: BandwidthAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._free_at_s = 0.0

    def feed(self, chunk: bytes) -> None:
        """Cut the chunk into pieces and plan each for when the line has carried it."""
        rate = self.attributes.rate
        if not rate:
            self.hold(chunk, NEVER_S)
            return
        piece_bytes = max(_PIECE_MIN_BYTES, rate * _PIECE_MS)
        free_at_s = max(self._free_at_s, self.lane.loop.time())
        for start in range(0, len(chunk), piece_bytes):
            piece = chunk[start : start + piece_bytes]
            free_at_s += len(piece) / (rate * 1000)
            self.hold(piece, free_at_s)
        self._free_at_s = free_at_s

    def update(self, attributes: BandwidthAttributes) -> None:
        """Pace what is held anew, from now on."""
        self._free_at_s = 0.0
        super().update(attributes)
