"""`slicer`: data arrives in slices of `average_size` ± `size_variation` bytes, `delay` microseconds apart."""

from random import Random
from typing import Annotated

from pydantic import Field, model_validator

from chaoskit.proxy.toxics.delay import DelayStage
from chaoskit.proxy.toxics.stage import Attributes, Lane, Microseconds, Output, register

_SIZE_MAX_BYTES = 2**31


class SlicerAttributes(Attributes):
    """`average_size` has no default: slices of no bytes would never end."""

    average_size: Annotated[int, Field(ge=1, le=_SIZE_MAX_BYTES)]
    size_variation: Annotated[int, Field(ge=0, le=_SIZE_MAX_BYTES)] = 0
    delay: Microseconds = 0

    @model_validator(mode="after")
    def _slices_have_bytes(self) -> "SlicerAttributes":
        if self.size_variation >= self.average_size:
            raise ValueError("size_variation must be less than average_size")
        return self


@register("slicer", SlicerAttributes)
class Slicer(DelayStage[SlicerAttributes]):
    """Passes the first slice on at once and each further one `delay` later; sizes are drawn uniformly."""

    __slots__ = ("_next_at_s", "_random")

    def __init__(self, toxic_name: str, attributes: SlicerAttributes, lane: Lane, output: Output) -> None:
        super().__init__(toxic_name, attributes, lane, output)
        self._next_at_s = 0.0
        self._random: Random | None = None

    def feed(self, chunk: bytes) -> None:
        """Slice the chunk and plan the slices."""
        now_s = self.lane.loop.time()
        due_s = max(now_s, self._next_at_s)
        start = 0
        while start < len(chunk):
            end = start + self._slice_bytes()
            if due_s <= now_s and not self.held_bytes:
                self.output.feed(chunk[start:end])
            else:
                self.hold(chunk[start:end], due_s)
            due_s += self.attributes.delay / 1e6
            start = end
        self._next_at_s = due_s

    def update(self, attributes: SlicerAttributes) -> None:
        """Slice what is held anew, from now on."""
        self._next_at_s = 0.0
        super().update(attributes)

    def _slice_bytes(self) -> int:
        attributes = self.attributes
        if not attributes.size_variation:
            return attributes.average_size
        if self._random is None:
            self._random = self.lane.random(self.toxic_name)
        return attributes.average_size + self._random.randint(-attributes.size_variation, attributes.size_variation)
