"""An arrival while it is played, and what all arrivals of its stream share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from chaoskit.load.answer import Answer
from chaoskit.load.flow import Flow
from chaoskit.load.outcomes import Recorder
from chaoskit.load.request import PreparedRequest
from chaoskit.load.routing import Router

if TYPE_CHECKING:
    from chaoskit.load.lane import Lane  # which itself needs arrivals

_NOTES: Final = 3  # enough to see what is wrong with a flow, few enough not to flood the run's journal


class Policy(Protocol):
    """What a stream's clients do besides asking once, chosen once for the stream (`chaoskit.load.policy`)."""

    def exchange(self, lane: "Lane", arrival: "Arrival", prepared: PreparedRequest) -> Answer:
        """Send `prepared` on `lane` until there is an answer to be content with, and return it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the stages of one request may take: to connect, and until the first byte of its answer.

    Microseconds; None: until the arrival's own deadline.
    """

    connect_us: int | None = None
    first_byte_us: int | None = None


@dataclass(slots=True)
class Stream:
    """One open-model stream in play; `recorders` are in the order of the plan's entries.

    `policy` None: each request is sent once. `limits` None: no stage has one of its own. `error_code` is the field of a
    JSON error body that tells more than its status.
    """

    name: str
    flow: Flow
    router: Router
    timeout_us: int
    recorders: Sequence[Recorder]
    settings: Mapping[str, str]
    credentials: Mapping[str, str]
    policy: Policy | None = None
    limits: Limits | None = None
    error_code: str | None = None
    notes: list[str] = field(default_factory=list)
    noted: int = 0

    def note(self, text: str) -> None:
        """Keep `text` to be handed up, unless enough was said about this stream already."""
        if self.noted < _NOTES:
            self.noted += 1
            self.notes.append(text)


class Arrival:
    """One arrival: what its flow may read, and where and until when it is played (microseconds of the run).

    `waited_us` is how long it waited for a connection: that is the target's doing, and no lateness of this process.
    `keeps_place`: its place in the pool is not free when it ends, for its connection is still in use.
    """

    __slots__ = ("deadline_us", "entry", "index", "intended_us", "keeps_place", "key", "stream", "waited_us")

    def __init__(self, stream: Stream, index: int, key: int, intended_us: int) -> None:
        self.stream = stream
        self.index = index
        self.key = key
        self.intended_us = intended_us
        self.deadline_us = intended_us + stream.timeout_us
        self.entry = 0
        self.waited_us = 0
        self.keeps_place = False

    @property
    def settings(self) -> Mapping[str, str]:
        """The target's settings by name."""
        return self.stream.settings

    @property
    def credentials(self) -> Mapping[str, str]:
        """The target's credentials by name."""
        return self.stream.credentials
