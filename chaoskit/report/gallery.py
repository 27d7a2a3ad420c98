"""Which charts a run has, with the tables they draw: a chart without data is left out, never drawn empty."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import diagnosis, findings, tables, wording
from chaoskit.report.charts import Lines, Timeline, error_bars, ladder_chart, percentile_plot
from chaoskit.report.charts.drawing import Spec
from chaoskit.report.tables import Table

MAX_LINES: Final = 8
"""How many lines a chart can hold and still be read; those with the highest peaks stay."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: `id` is its name in the page, `note` how to read it, `reads` the tables it draws.

    `peaks` says in words what its lines reach, for those who cannot see them.

    A chart `by_stream` shows one stream at a time; one of the `timeline` shares its time axis with the others.
    """

    id: str
    title: str
    note: str
    spec: Spec
    reads: tuple[str, ...]
    peaks: str = ""
    timeline: bool = True
    by_stream: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the time axis that the reader can choose."""

    name: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Gallery:
    """Every chart by its id, the stretches to choose, the stream shown at first, and the data of all charts."""

    charts: Mapping[str, Chart]
    stretches: tuple[Stretch, ...]
    stream: str
    data: Mapping[str, Any]


def draw(result: Result, plan: Plan, history: History, stream: str) -> Gallery:
    """Return the charts of a run; those by stream show `stream` at first."""
    data = _tables(result, plan, history)
    timeline = Timeline(tables.end_s(plan, history), tables.cell_s(plan, history), stream)
    charts = [
        *_load_charts(timeline, data),
        *_message_charts(timeline, data),
        *_resource_charts(timeline, data),
        *_figure_charts(timeline, plan, data),
        *_machine_charts(timeline, plan, history, data),
        *_other_charts(result, stream, data),
    ]
    used = {name for chart in charts for name in chart.reads}
    return Gallery(
        charts={chart.id: chart for chart in charts},
        stretches=_stretches(timeline.end_s, data["bands"]),
        stream=stream,
        data={
            "tables": {name: columns for name, columns in data.items() if name in used},
            "charts": {
                chart.id: {"spec": chart.spec, "reads": chart.reads, "timeline": chart.timeline} for chart in charts
            },
        },
    )


def _tables(result: Result, plan: Plan, history: History) -> dict[str, Table]:
    cell = tables.cell_s(plan, history)
    places = {rung.resource: place for place, rung in enumerate(result.ladder)}

    def nearness(resource: str) -> tuple[int, str]:
        return places.get(resource, places.get(wording.without_region(resource), len(places))), resource

    order = sorted({sample.resource for sample in history.resources}, key=nearness)
    utilization = tables.utilization(history, cell, order)
    utilization["resource"] = [wording.short_resource(str(resource)) for resource in utilization["resource"]]
    return {
        "bands": tables.bands(plan, history),
        "events": tables.events(history),
        "load": tables.load(history, cell),
        "latency": tables.latency(history, cell),
        "errors": tables.errors(history, cell),
        "lateness": tables.lateness(history, cell),
        "messages": tables.messages(history, cell),
        "utilization": utilization,
        "queues": strongest(utilization, "resource", "queue"),
        "cpu": strongest(tables.cpu(history, cell), "source", "cores"),
        "figures": tables.figures(history, cell),
        "quantiles": tables.quantile_curves(plan, history),
        "failures": findings.failures(diagnosis.streams_in_order(result, plan)),
        "ladder": findings.ladder(result.ladder),
    }


def strongest(columns: Table, series: str, value: str) -> Table:
    """Return `series`, `t` and `value` of the (at most `MAX_LINES`) series with the highest peaks above zero."""
    peaks: dict[str, float] = {}
    for name, reading in zip(columns[series], columns[value], strict=True):
        peaks[str(name)] = max(peaks.get(str(name), 0.0), float(reading or 0.0))
    kept = sorted((name for name in peaks if peaks[name] > 0), key=lambda name: (-peaks[name], name))[:MAX_LINES]
    readings = zip(columns[series], columns["t"], columns[value], strict=True)
    by_name = sorted((row for row in readings if row[0] in kept), key=lambda row: kept.index(str(row[0])))
    return tables.table((series, "t", value), by_name)


def peaks(columns: Table, series: str, value: str) -> str:
    """Return the highest reading of each (at most `MAX_LINES`) series as a sentence; nothing where none is above 0."""
    kept = strongest(columns, series, value)
    highest: dict[str, float] = {}
    for name, reading in zip(kept[series], kept[value], strict=True):
        highest[str(name)] = max(highest.get(str(name), 0.0), float(reading or 0.0))
    return (
        f"At most: {', '.join(f'{name} {wording.number(peak)}' for name, peak in highest.items())}." if highest else ""
    )


def _stretches(end_s: float, bands: Table) -> tuple[Stretch, ...]:
    rows = zip(bands["kind"], bands["title"], bands["start"], bands["end"], strict=True)
    phases = (
        Stretch(str(title), float(start or 0), float(end or 0)) for kind, title, start, end in rows if kind == "phase"
    )
    return (Stretch("whole run", 0.0, end_s), *phases)


def _count(columns: Table, name: str) -> int:
    return len(set(columns[name]))


def _load_charts(timeline: Timeline, data: Mapping[str, Table]) -> Iterator[Chart]:
    faults = data["bands"]["kind"].count("fault")
    yield Chart(
        "schedule",
        "What was done to the target",
        "Phases of load above, faults below; triangles are events. Faults are shaded in every chart that follows.",
        timeline.schedule(faults),
        ("bands", "events"),
    )
    if not data["load"]["t"]:
        return
    yield Chart(
        "load",
        "Load per second",
        "Filled: what became of the arrivals meant for that second. Dotted: answers in the second in which they came.",
        timeline.load(),
        ("bands", "load"),
        peaks=peaks(data["load"], "stream", "offered"),
        by_stream=True,
    )
    yield Chart(
        "latency",
        "Latency of successes",
        "Response counts from the moment a request was due, service from the moment it was sent. Where too few "
        "requests fall into a second to carry a p99 (300) or a p50 (6), only the slowest of them is shown.",
        timeline.latency(),
        ("bands", "latency"),
        peaks=peaks(data["latency"], "stream", "response_max"),
        by_stream=True,
    )
    if data["errors"]["t"]:
        yield Chart(
            "errors",
            "Failures per second, by reason",
            "Counted in the second in which the request was due.",
            timeline.errors(),
            ("bands", "errors"),
            peaks=peaks(data["errors"], "reason", "failed"),
            by_stream=True,
        )


def _message_charts(timeline: Timeline, data: Mapping[str, Table]) -> Iterator[Chart]:
    drawn = {
        "messages": ("Messages to subscribers, per second", "All that came to the subscribers of a stream together."),
        "silence": (
            "Longest silence of a subscriber (s)",
            "How long one was without a message at most, by second; a feed that stalls climbs until it is back.",
        ),
        "age": ("Oldest message on arrival (ms)", "How long ago it was made, as the message itself says."),
    }
    for value, (title, note) in drawn.items():
        if any(reading is not None for reading in data["messages"][value]):
            yield Chart(
                f"messages-{value}",
                title,
                note,
                timeline.lines(Lines("messages", value, "stream", title, wide_range=value != "messages")),
                ("bands", "messages"),
                peaks=peaks(data["messages"], "stream", value),
            )


def _resource_charts(timeline: Timeline, data: Mapping[str, Table]) -> Iterator[Chart]:
    if data["utilization"]["t"]:
        yield Chart(
            "utilization",
            "Utilisation of every resource",
            "Nearest to its limit first. 100% means that every server of the resource was held for the whole second.",
            timeline.utilization(_count(data["utilization"], "resource")),
            ("bands", "utilization"),
            peaks=peaks(data["utilization"], "resource", "utilization"),
        )
    if data["queues"]["t"]:
        yield Chart(
            "queues",
            "Queue lengths",
            "Work that waits for a resource; the longest queues of the run.",
            timeline.lines(Lines("queues", "queue", "resource", "Queue lengths.", wide_range=True)),
            ("bands", "queues"),
            peaks=peaks(data["queues"], "resource", "queue"),
        )


def _figure_charts(timeline: Timeline, plan: Plan, data: Mapping[str, Table]) -> Iterator[Chart]:
    known = {figure.metric: figure for figure in plan.figures}
    for place, metric in enumerate(dict.fromkeys(data["figures"]["figure"])):
        figure = known.get(str(metric))
        unit = f" ({figure.unit})" if figure and figure.unit else ""
        yield Chart(
            f"figure-{place}",
            (figure.title if figure else str(metric)) + unit,
            "A figure of the target's own trade, as its manifest declares it.",
            timeline.lines(Lines("figures", "value", "instance", str(metric), only=("figure", str(metric)))),
            ("bands", "figures"),
        )


def _machine_charts(timeline: Timeline, plan: Plan, history: History, data: Mapping[str, Table]) -> Iterator[Chart]:
    if data["cpu"]["t"]:
        cores = history.host[-1].cpu_count if history.host else None
        yield Chart(
            "cpu",
            "CPU cores in use",
            f"The host has {cores} cores (dashed)." if cores else "Each process tree of the run.",
            timeline.lines(Lines("cpu", "cores", "source", "CPU cores in use.", level=cores)),
            ("bands", "cpu"),
            peaks=peaks(data["cpu"], "source", "cores"),
        )
    if data["lateness"]["t"]:
        bound = plan.generator.max_lag_s
        yield Chart(
            "lateness",
            "Lateness of the load generator (p99, ms)",
            "How late requests were sent, by second. Where the p99 over a whole phase is above "
            f"{wording.duration(bound)} (dashed), a run proves nothing.",
            timeline.lines(Lines("lateness", "lag", None, "Lateness of the generator.", level=bound * 1e3)),
            ("bands", "lateness"),
        )


def _other_charts(result: Result, stream: str, data: Mapping[str, Table]) -> Iterator[Chart]:
    if result.ladder:
        yield Chart(
            "ladder",
            "At which load each resource gives way",
            "Dashed: the surge that the scenario declares. Diamond: if what the resource waits for were free.",
            ladder_chart(len(data["ladder"]["resource"])),
            ("ladder",),
            timeline=False,
        )
    if data["quantiles"]["ms"]:
        phases: Sequence[str] = [str(phase) for phase in dict.fromkeys(data["quantiles"]["phase"])]
        yield Chart(
            "percentiles",
            "Latency by percentile",
            "The further right, the rarer the answer. A curve ends where fewer than one answer lies beyond.",
            percentile_plot(stream, list(phases)),
            ("quantiles",),
            timeline=False,
            by_stream=True,
        )
    if data["failures"]["row"]:
        yield Chart(
            "failures",
            "Failures by reason and phase",
            "As a share of the arrivals of that stream in that phase.",
            error_bars(_count(data["failures"], "row")),
            ("failures",),
            timeline=False,
        )
