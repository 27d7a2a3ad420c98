"""Variants side by side, as one page and as Markdown: what differs from the first column is marked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import markupsafe

from chaoskit.analysis.comparison import ComparedRun, Comparison
from chaoskit.analysis.result import DomainFinding
from chaoskit.report import wording
from chaoskit.report.diagnosis import VERDICT_WORDS
from chaoskit.report.page import environment, policy_of
from chaoskit.report.summary import plain
from chaoskit.units import plural

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NEAR: Final = 0.1
"""Durations within a tenth of the first column's are not marked: two runs of one scenario differ by that."""
_NEAR_POINTS: Final = 1.0
"""Nor are shares within one percentage point of it."""
_OUTCOMES: Final = {True: "met", False: "missed", None: "not proven"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one variant has in one row; `note` says more, `changed` marks it as unlike the first column's."""

    text: str
    note: str = ""
    changed: bool = False
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is compared."""

    label: str
    cells: tuple[Cell, ...]


def render_comparison(comparison: Comparison) -> str:
    """Return the page of a comparison: one offline file without scripts; the runs' own pages are linked."""
    style = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "comparison.css"))
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            comparison=comparison,
            rows=rows_of(comparison),
            words=VERDICT_WORDS,
            policy=policy_of([]),
            style=markupsafe.Markup(style),  # noqa: S704 - our own files
        )
    )


def render_comparison_summary(comparison: Comparison) -> str:
    """Return a comparison as a table in GitHub-flavoured Markdown."""
    counted = plural(len(comparison.runs), "run")
    lines = [
        f"## {comparison.verdict.value}: {plain(comparison.scenario)}, {counted} side by side",
        "",
        "| | " + " | ".join(plain(run.name) for run in comparison.runs) + " |",
        "|---" * (len(comparison.runs) + 1) + "|",
        "| verdict | " + " | ".join(run.verdict.value for run in comparison.runs) + " |",
    ]
    for row in rows_of(comparison):
        said = (f"**{plain(_said(cell))}**" if cell.changed else plain(_said(cell)) for cell in row.cells)
        lines.append(f"| {plain(row.label)} | " + " | ".join(said) + " |")
    if comparison.not_played:
        lines += ["", f"Not played: {plain(', '.join(comparison.not_played))}."]
    return "\n".join([*lines, "", "[Full comparison](report.html)"]) + "\n"


def rows_of(comparison: Comparison) -> tuple[Row, ...]:
    """Return everything that is compared but for the verdict, which heads the columns."""
    return tuple(_rows(comparison))


def _rows(comparison: Comparison) -> Iterator[Row]:
    runs = comparison.runs
    yield _words("first bottleneck", runs, lambda run: wording.short_resource(run.bottleneck or "none found"))
    yield _words("objectives missed", runs, _missed)
    for text in dict.fromkeys(objective.text for run in runs for objective in run.objectives):
        yield Row(text, _marked([_objective(run, text) for run in runs]))
    for name in dict.fromkeys(finding.name for run in runs for finding in run.domain_findings):
        found = [next((one for one in run.domain_findings if one.name == name), None) for run in runs]
        if any(one is not None and one.value is not None for one in found):  # else it is not of this day
            yield _finding(found)
    for stream in dict.fromkeys(name for run in runs for name in run.streams):
        shown = [run.streams.get(stream) for run in runs]
        phase = next(found.phase for found in shown if found is not None)
        where = f"{stream} in {phase}"
        yield _shares(f"{where}: answered", [found.ok_ratio if found else None for found in shown])
        yield _durations(f"{where}: p50", [found.p50_s if found else None for found in shown])
        yield _durations(f"{where}: p99", [found.p99_s if found else None for found in shown])
    for stream in dict.fromkeys(name for run in runs for name in run.recovery_s):
        yield _words(f"{stream} stays good after", runs, lambda run, stream=stream: _recovery(run, stream))  # type: ignore[misc]


def _finding(found: list[DomainFinding | None]) -> Row:
    told = next(one for one in found if one is not None)
    values = [None if one is None else one.value for one in found]
    return _amounts(told.title, values, lambda value: wording.quantity(value, told.unit))


def _missed(run: ComparedRun) -> str:
    return f"{sum(one.met is False for one in run.objectives)} of {len(run.objectives)}"


def _recovery(run: ComparedRun, stream: str) -> str:
    if stream not in run.recovery_s:
        return wording.ABSENT
    seconds = run.recovery_s[stream]
    return "not within the run" if seconds is None else wording.duration(seconds)


def _objective(run: ComparedRun, text: str) -> Cell:
    found = next((one for one in run.objectives if one.text == text), None)
    if found is None:
        return Cell("not asked")
    return Cell(_OUTCOMES[found.met], wording.quantity(found.measured, found.unit), outcome=_OUTCOMES[found.met])


def _words(label: str, runs: tuple[ComparedRun, ...], said: Callable[[ComparedRun], str]) -> Row:
    return Row(label, _marked([Cell(said(run)) for run in runs]))


def _marked(cells: list[Cell]) -> tuple[Cell, ...]:
    first = cells[0].text
    return tuple(Cell(cell.text, cell.note, cell.text != first, cell.outcome) for cell in cells)


def _durations(label: str, values: list[float | None]) -> Row:
    return _amounts(label, values, wording.duration)


def _amounts(label: str, values: list[float | None], said: Callable[[float | None], str]) -> Row:
    """Return amounts that are compared by how many times the first one they are."""
    first = values[0]
    cells = []
    for value in values:
        if value is None or not first:
            cells.append(Cell(said(value), changed=value != first))
            continue
        times = value / first
        changed = abs(times - 1) > _NEAR
        note = wording.multiple(times) if times >= 2 else f"{times - 1:+.0%}".replace("-", "−")
        cells.append(Cell(said(value), note if changed else "", changed))
    return Row(label, tuple(cells))


def _shares(label: str, values: list[float | None]) -> Row:
    first = values[0]
    cells = []
    for value in values:
        if value is None or first is None:
            cells.append(Cell(wording.ratio(value), changed=value != first))
            continue
        points = 100 * (value - first)
        changed = abs(points) > _NEAR_POINTS
        cells.append(Cell(wording.ratio(value), f"{points:+.1f} points".replace("-", "−") if changed else "", changed))
    return Row(label, tuple(cells))


def _said(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text
