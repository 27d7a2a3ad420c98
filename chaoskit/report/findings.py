"""What the result says, as tables that charts draw."""

from collections.abc import Mapping, Sequence
from typing import Final

from chaoskit.analysis.result import Rung, StreamPhase
from chaoskit.report import wording
from chaoskit.report.charts.headroom import LEAST_SHARE, MOST_SHARE
from chaoskit.report.tables import Table, Value, rounded, table
from chaoskit.report.tables.load import MAX_REASONS

MAX_RUNGS: Final = 14
"""How many rungs the chart of the ladder shows; the table beside it has all."""

OWN_APART: Final = 1.05
"""From this ratio on, a resource's own share is drawn beside its share; nearer it would hide the end of the bar."""


def state(rung: Rung) -> str:
    """Return what became of a resource: one that was full with room for the whole surge was held up by another."""
    if rung.saturates_at.share > 1:
        return "full, held up by another" if rung.saturated else "carries the surge"
    return "gave way" if rung.saturated else "gives way within the surge"


def ladder(rungs: Sequence[Rung]) -> Table:
    """Return the nearest rungs with the share clipped to what the axis shows; `label` has the true one.

    `short` is the label where there is little room.
    """
    rows: list[Sequence[Value]] = []
    for rung in rungs[:MAX_RUNGS]:
        share = rung.saturates_at.share
        load = wording.multiples(rung.saturates_at)
        name = wording.short_resource(rung.resource)
        label = " · ".join(part for part in (name, wording.surge_share(share), load) if part)
        own = rung.own_share if rung.own_share is not None and rung.own_share > share * OWN_APART else None
        short = f"{name} · {wording.surge_share(share)}"
        rows.append((name, label, short, _clipped(share), _clipped(own), state(rung)))
    return table(("resource", "label", "short", "share", "own_share", "state"), rows)


def _clipped(share: float | None) -> float | None:
    return None if share is None else rounded(min(max(share, LEAST_SHARE * 1.05), MOST_SHARE))


def failures(streams: Mapping[str, Mapping[str, StreamPhase]]) -> Table:
    """Return per stream and phase with failures the count of each reason and its share of the arrivals."""
    totals: dict[str, int] = {}
    for phases in streams.values():
        for phase in phases.values():
            for reason, count in phase.failed.items():
                totals[reason] = totals.get(reason, 0) + count
    kept = set(sorted(totals, key=lambda reason: (-totals[reason], reason))[:MAX_REASONS])
    rows: list[Sequence[Value]] = []
    for stream, phases in streams.items():
        for name, phase in phases.items():
            counts: dict[str, int] = {}
            for reason, count in phase.failed.items():
                shown = reason if reason in kept else "other"
                counts[shown] = counts.get(shown, 0) + count
            rows.extend(
                (f"{stream} · {name}", reason, count, rounded(count / max(phase.offered, 1)))
                for reason, count in sorted(counts.items())
                if count
            )
    return table(("row", "reason", "count", "share"), rows)
