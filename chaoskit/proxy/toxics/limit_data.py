"""`limit_data`: the connection closes after `bytes` bytes."""

from chaoskit.proxy.toxics.stage import Attributes, ByteCount, Lane, Output, Stage, register


class LimitDataAttributes(Attributes):
    """How many bytes of a connection pass from the moment that the toxic sets in."""

    bytes: ByteCount = 0


@register("limit_data", LimitDataAttributes)
class LimitData(Stage[LimitDataAttributes]):
    """Counts what passes, across updates. The connection closes with the data that reaches the limit."""

    __slots__ = ("_passed_bytes", "_spent")

    def __init__(self, toxic_name: str, attributes: LimitDataAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._passed_bytes = 0
        self._spent = False

    def feed(self, chunk: bytes) -> None:
        """Pass on what the limit allows."""
        if self._spent:
            return
        allowed = chunk[: max(0, self.attributes.bytes - self._passed_bytes)]
        if allowed:
            self._passed_bytes += len(allowed)
            self.output.feed(allowed)
        if self._passed_bytes >= self.attributes.bytes:
            self._spent = True
            self.close_connection()
