"""A plan as tables of text, for people: phases with every stream's rate, fault windows, totals."""

from collections.abc import Sequence
from dataclasses import dataclass

from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.model import Plan, PlannedFault, PlannedPhase, PlannedStream
from chaoskit.units import format_duration


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; every row has as many cells as there are columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(plan: Plan) -> tuple[Table, ...]:
    """Return what `chaoskit plan` shows, in order; a table without rows is left out."""
    all_tables = (_phases(plan), _streams(plan), _faults(plan), _links(plan), _bounds(plan))
    return tuple(table for table in all_tables if table.rows)


def _phases(plan: Plan) -> Table:
    streams = plan.streams
    rows = [
        (phase.name, _window(phase), _ramp(phase), *(_level(stream, phase) for stream in streams))
        for phase in plan.phases
    ]
    return Table("Phases", ("phase", "window", "ramp", *(stream.name for stream in streams)), tuple(rows))


def _streams(plan: Plan) -> Table:
    columns = ("stream", "flow", "model", "clients", "timeout", "surge", "peak", "arrivals")
    return Table("Streams", columns, tuple(_stream_row(stream) for stream in plan.streams))


def _stream_row(stream: PlannedStream) -> tuple[str, ...]:
    is_open = stream.users is None
    return (
        stream.name,
        _flow(stream.flow),
        _model(stream),
        _clients(stream),
        format_duration(stream.timeout_s),
        f"x{stream.surge_multiple:g}",
        f"{max(stream.expected_per_second):,}/s" if is_open else "",
        f"{sum(stream.expected_per_second):,}" if is_open else "",
    )


def _flow(flow: PlannedFlow) -> str:
    if flow.request is not None:
        return f"{flow.request.method} {flow.request.path}"
    if (wanted := flow.subscription) is not None:
        return f"WS {wanted.path}" + ("" if wanted.hold_s is None else f" for {format_duration(wanted.hold_s)}")
    return flow.reference


def _model(stream: PlannedStream) -> str:
    if stream.users is not None:
        return "users"
    if stream.excitation is None:
        return stream.arrivals
    return f"hawkes {stream.excitation.branching_ratio:.0%}, {format_duration(stream.excitation.decay_s)}"


def _clients(stream: PlannedStream) -> str:
    parts = [stream.routing.replace("_", " ")]
    if stream.retries is not None:
        budget = stream.retries.budget_ratio
        parts.append(f"{stream.retries.attempts} attempts" + ("" if budget is None else f", budget {budget:.0%}"))
    if stream.hedge is not None:
        parts.append(f"hedge after {format_duration(stream.hedge.after_s)}")
    return ", ".join(parts)


def _faults(plan: Plan) -> Table:
    faults = sorted(plan.faults, key=lambda fault: fault.start_s)
    rows = [(fault.id, fault.title, fault.phase, _window(fault), str(len(fault.links))) for fault in faults]
    return Table("Faults", ("fault", "what", "phase", "window", "links"), tuple(rows))


def _links(plan: Plan) -> Table:
    counts: dict[str, list[str]] = {}
    for link in plan.links:
        counts.setdefault(link.kind, []).append(link.name)
    rows = [(kind, str(len(names)), _listed(names)) for kind, names in counts.items()]
    return Table("Links", ("link", "count", "names"), tuple(rows))


def _bounds(plan: Plan) -> Table:
    rows = [("must hold", objective.text) for objective in plan.objectives]
    rows += [("aborts the run", rule.objective.text) for rule in plan.abort_rules]
    if plan.expected_bottleneck:
        rows.append(("expected bottleneck", plan.expected_bottleneck))
    return Table("Bounds", ("role", "bound"), tuple(rows))


def _window(part: PlannedPhase | PlannedFault) -> str:
    return f"{part.start_s:g}s … {part.end_s:g}s"


def _ramp(phase: PlannedPhase) -> str:
    return format_duration(phase.ramp_s) if phase.ramp_s else "step"


def _level(stream: PlannedStream, phase: PlannedPhase) -> str:
    multiple = phase.multiply[stream.name]
    if stream.users is not None:
        return f"{stream.users * multiple:,.0f} users"
    return f"{stream.baseline_rps * multiple:,.6g}/s"


def _listed(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, …"
