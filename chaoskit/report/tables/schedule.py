"""What was done, and when: phases, faults and events as stretches and points of the time axis."""

from collections.abc import Callable, Sequence

from chaoskit.plan.model import Plan
from chaoskit.records import FaultEvent, History
from chaoskit.report.tables.columns import Table, Value, rounded, table


def bands(plan: Plan, history: History) -> Table:
    """Return phases and faults as stretches of time, as they really happened where the history knows, else as planned.

    `mark` is the short name that a band carries on every chart: the phase's name, `F1`, `F2` … for faults.
    """
    starts = {event.phase: event.t_s for event in history.phases if event.step == "started"}
    ends = {event.phase: event.t_s for event in history.phases if event.step == "ended"}
    rows: list[Sequence[Value]] = [
        (
            "phase",
            0,
            phase.name,
            phase.name,
            rounded(max(starts.get(phase.name, phase.start_s), 0.0), 5),
            rounded(max(ends.get(phase.name, phase.end_s), 0.0), 5),
        )
        for phase in plan.phases
    ]
    applied = _moments(history, lambda event: event.step == "applied")
    lifted = _moments(history, lambda event: event.step == "lifted")
    rows.extend(
        (
            "fault",
            place - 1,
            f"F{place}",
            fault.title,
            rounded(applied.get(fault.id, fault.start_s), 5),
            rounded(lifted.get(fault.id, fault.end_s), 5),
        )
        for place, fault in enumerate(plan.faults, start=1)
    )
    return table(("kind", "row", "mark", "title", "start", "end"), rows)


def events(history: History) -> Table:
    """Return what else happened: aborts, deaths of components, what a person did."""
    rows = ((rounded(event.t_s, 5), event.event.replace("_", " "), event.detail) for event in history.events)
    return table(("t", "event", "detail"), rows)


def _moments(history: History, wanted: Callable[[FaultEvent], bool]) -> dict[str, float]:
    return {event.fault: event.t_s for event in history.faults if wanted(event)}
