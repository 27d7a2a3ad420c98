"""`timeout`: a black hole that closes after `timeout` milliseconds; 0: when the toxic is lifted."""

import asyncio

from chaoskit.proxy.toxics.stage import Attributes, Lane, Milliseconds, Output, Stage, register


class TimeoutAttributes(Attributes):
    """How long after the toxic set in, or after the last data, the connection closes."""

    timeout: Milliseconds = 0


@register("timeout", TimeoutAttributes)
class Timeout(Stage[TimeoutAttributes]):
    """Drops all data. Bytes are lost, so lifting the toxic closes the connection."""

    __slots__ = ("_closes_at_s", "_timer")

    def __init__(self, toxic_name: str, attributes: TimeoutAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._timer: asyncio.TimerHandle | None = None
        self._closes_at_s = 0.0
        self._restart()

    def feed(self, chunk: bytes) -> None:  # noqa: ARG002 - dropping it is the point
        """Drop the data; the wait begins anew, as it does in Toxiproxy."""
        self._closes_at_s = self._next_close_s()

    def update(self, attributes: TimeoutAttributes) -> None:
        """Begin the wait anew."""
        super().update(attributes)
        self.discard()
        self._restart()

    def remove(self) -> None:
        """Close the connection."""
        self.discard()
        self.close_connection()

    def discard(self) -> None:
        """Stop waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_close_s(self) -> float:
        return self.lane.loop.time() + self.attributes.timeout / 1e3

    def _restart(self) -> None:
        if self.attributes.timeout:
            self._closes_at_s = self._next_close_s()
            self._timer = self.lane.loop.call_at(self._closes_at_s, self._expire)

    def _expire(self) -> None:
        # Data only moves the deadline; the timer is set again once it goes off, not for every chunk.
        if self._closes_at_s > self.lane.loop.time():
            self._timer = self.lane.loop.call_at(self._closes_at_s, self._expire)
        else:
            self._timer = None
            self.close_connection()
