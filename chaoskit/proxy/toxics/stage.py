"""The contract of a toxic: what it is told, what it may do, and how it is registered.

A toxic type is one file: its attributes (a pydantic model: types, units, ranges), its behaviour (a `Stage`),
and one `@register` line. A stage works on one direction of one connection. It is told of data by `feed` and
of the end by `finish`, and passes both on to `self.output` when it likes. The rules:

- keep the order; never drop a chunk unless dropping is what the toxic is for;
- never wait: to act later, ask `self.lane.loop` for a timer, and cancel it in `discard`;
- count what you keep in `held_bytes` (or derive from `DelayStage`, which does): it is what bounds memory;
- `remove` lifts the toxic: pass on at once all that is held;
- random numbers come from `self.lane.random`, which is seeded by connection and toxic.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chaoskit.errors import UsageError

_DAY_MS = 86_400_000
_INT64_MAX = 2**63 - 1

Milliseconds = Annotated[int, Field(ge=0, le=_DAY_MS)]
Microseconds = Annotated[int, Field(ge=0, le=_DAY_MS * 1000)]
KilobytesPerSecond = Annotated[int, Field(ge=0, le=10**9)]
"""Thousands of bytes a second, as Toxiproxy counts them."""
ByteCount = Annotated[int, Field(ge=0, le=_INT64_MAX)]


class Attributes(BaseModel):
    """Base of every toxic's attributes. Strict: no unknown names, no string or fraction as a whole number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Output(Protocol):
    """What a stage passes data on to: the next stage, or the socket."""

    def feed(self, chunk: bytes) -> None:
        """Take a chunk (never empty)."""

    def finish(self) -> None:
        """Take the end of the stream; nothing comes after it."""


class Lane(Protocol):
    """What a stage may ask of the direction of the connection that it works on."""

    loop: asyncio.AbstractEventLoop

    def random(self, toxic_name: str) -> Random:
        """A generator seeded by run, proxy, connection and toxic: the same run draws the same numbers."""

    def stop_reading(self) -> None:
        """Read no more from the source, for good."""

    def relieve(self) -> None:
        """Say that less is held than before: reading goes on if it was paused."""

    def reset(self) -> None:
        """Close both sides of the connection with RST, at once, dropping all that is held."""


A = TypeVar("A", bound=Attributes)


class Stage(Generic[A]):
    """Passes everything on; toxics override what they disturb."""

    __slots__ = ("attributes", "held_bytes", "lane", "output", "toxic_name")

    buffer_bytes: ClassVar[int] = 0
    """How much more than the usual window may be held for this toxic, per connection and direction."""

    def __init__(self, toxic_name: str, attributes: A, lane: Lane, output: Output) -> None:
        self.toxic_name = toxic_name
        self.attributes = attributes
        self.lane = lane
        self.output = output
        self.held_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Data has come."""
        self.output.feed(chunk)

    def finish(self) -> None:
        """The source has ended."""
        self.output.finish()

    def update(self, attributes: A) -> None:
        """Go on with other attributes."""
        self.attributes = attributes

    def remove(self) -> None:
        """The toxic is lifted: pass on what is held. The stage is used no more."""

    def discard(self) -> None:
        """The connection is gone: cancel timers, forget what is held. The stage is used no more."""

    def close_connection(self) -> None:
        """End the stream here: what was passed on still arrives, then the connection closes."""
        self.lane.stop_reading()
        self.output.finish()


@dataclass(frozen=True, slots=True)
class ToxicType:
    """One registered type: the name in the API, its attributes, its behaviour."""

    name: str
    attributes: type[Attributes]
    stage: type[Stage[Any]]


TOXIC_TYPES: dict[str, ToxicType] = {}
"""Every toxic type by the name that the API knows it by."""

S = TypeVar("S", bound=type[Stage[Any]])


def register(name: str, attributes: type[Attributes]) -> Callable[[S], S]:
    """Make the decorated stage known as toxic type `name`. Raises UsageError when the name is taken."""

    def enter(stage: S) -> S:
        if name in TOXIC_TYPES:
            raise UsageError(f"toxic type `{name}` is registered twice; give the second one another name")
        TOXIC_TYPES[name] = ToxicType(name, attributes, stage)
        return stage

    return enter
