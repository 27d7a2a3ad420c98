"""Where every record of a run goes: first to disk, then into the live state."""

from typing import Protocol

from chaoskit.clock import Clock
from chaoskit.records import Record, RunEvent
from chaoskit.runner.live import LiveState
from chaoskit.store import RunFolder


class Sink(Protocol):
    """Takes the records of a run, on the run's clock."""

    clock: Clock

    def emit(self, record: Record) -> None:
        """Take one record."""
        ...


class Discard:
    """Keeps nothing: for a target that is up alone, without a run."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def emit(self, record: Record) -> None:
        """Forget one record."""


class Recorder:
    """Takes records from drivers, load, faults and observers; only it writes them to the run folder."""

    def __init__(self, folder: RunFolder, state: LiveState, clock: Clock) -> None:
        self.clock = clock
        self._folder = folder
        self._state = state

    def emit(self, record: Record) -> None:
        """Keep one record; a fault's intent is on disk when this returns."""
        self._folder.append(record)
        self._state.add(record)

    def flush(self) -> None:
        """Bring everything kept so far to disk."""
        self._folder.flush()

    def note(self, event: str, detail: str) -> None:
        """Keep an event that belongs to no layer below."""
        self.emit(RunEvent(self.clock.now_s(), event, detail))
