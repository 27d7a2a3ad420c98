"""What happened when: phases, faults and events of a run as one list in the order of time."""

from dataclasses import dataclass
from typing import Final

from chaoskit.records import History

_STEPS: Final = {
    "intent": "about to be applied",
    "applied": "applied",
    "lifting": "being lifted",
    "lifted": "lifted",
    "proven_clean": "proven clean",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the chronicle; `kind` is `phase`, `fault` or `event`."""

    t_s: float
    kind: str
    what: str
    detail: str


def chronicle(history: History) -> tuple[Entry, ...]:
    """Return every phase, fault step and event of `history`, earliest first."""
    entries = [Entry(event.t_s, "phase", f"{event.phase} {event.step}", "") for event in history.phases]
    entries += [Entry(e.t_s, "fault", f"{e.fault} {_STEPS[e.step]}", e.detail) for e in history.faults]
    entries += [Entry(e.t_s, "event", e.event.replace("_", " "), e.detail) for e in history.events]
    return tuple(sorted(entries, key=lambda entry: entry.t_s))
