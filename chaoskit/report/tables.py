"""A history as the small tables that the charts draw: one row per stretch of time, columns apart, numbers rounded.

Every table is written into the page once, however many charts read it. Times are seconds since the run's zero. Runs
longer than `MAX_CELLS` seconds are drawn in cells of several seconds, so that the page stays small.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chaoskit.plan.model import Plan
from chaoskit.records import FaultEvent, Histogram, History, ResourceSample

Value: TypeAlias = float | int | str | None
Table: TypeAlias = dict[str, list[Value]]
Floats: TypeAlias = NDArray[np.float64]

MAX_CELLS: Final = 300
MAX_GAP_S: Final = 3.0
MAX_REASONS: Final = 8
QUANTILES: Final = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))


def rounded(value: float | None, digits: int = 3) -> float | None:
    """Return `value` with `digits` significant digits; None for None and for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) else short


def table(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Table:
    """Return `rows` turned into one list per column."""
    turned: Table = {column: [] for column in columns}
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            turned[column].append(value)
    return turned


def end_s(plan: Plan, history: History) -> float:
    """Return where the time axis ends: the planned end, or the last arrival or phase beyond it."""
    samples = max((sample.second + 1 for sample in history.samples), default=0)
    phases = max((event.t_s for event in history.phases), default=0.0)
    return float(math.ceil(max(plan.duration_s, samples, phases, 1.0)))


def cell_s(plan: Plan, history: History) -> int:
    """Return the length of one cell of the time axis in whole seconds."""
    return max(1, math.ceil(end_s(plan, history) / MAX_CELLS))


def load(history: History, cell: int) -> Table:
    """Return per stream and cell: arrivals offered, ok and failed by intended start; answered by when they ended."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for sample in history.samples:
        row = sums[sample.stream, sample.second // cell]
        row[0] += sample.ok
        row[1] += sum(sample.failed.values())
    for completion in history.completions:
        sums[completion.stream, completion.second // cell][2] += completion.ok
    rows = (
        (stream, index * cell, (ok + failed) / cell, ok / cell, failed / cell, answered / cell)
        for (stream, index), (ok, failed, answered) in sorted(sums.items())
    )
    return table(("stream", "t", "offered", "ok", "failed", "answered"), rows)


def latency(history: History, cell: int) -> Table:
    """Return per stream, cell and clock the quantiles of successes in milliseconds."""
    parts: dict[tuple[str, int, str], list[Histogram]] = defaultdict(list)
    for sample in history.samples:
        key = sample.stream, sample.second // cell
        parts[*key, "response"].append(sample.response_us)
        parts[*key, "service"].append(sample.service_us)
    rows: list[Sequence[Value]] = []
    for (stream, index, clock), histograms in sorted(parts.items()):
        merged = Histogram.merged(histograms)
        values = [_milliseconds(merged.quantile_us(quantile)) for _, quantile in QUANTILES]
        rows.append((stream, index * cell, clock, *values))
    return table(("stream", "t", "clock", "p50", "p99", "p999"), rows)


def _milliseconds(value_us: int | None) -> float | None:
    return None if value_us is None else rounded(max(value_us, 1) / 1e3)


def errors(history: History, cell: int) -> Table:
    """Return per stream, cell and reason the failures per second; reasons beyond the commonest are `other`."""
    totals: dict[str, int] = defaultdict(int)
    for sample in history.samples:
        for reason, count in sample.failed.items():
            totals[reason] += count
    kept = set(sorted(totals, key=lambda reason: (-totals[reason], reason))[:MAX_REASONS])
    sums: dict[tuple[str, int, str], int] = defaultdict(int)
    for sample in history.samples:
        for reason, count in sample.failed.items():
            sums[sample.stream, sample.second // cell, reason if reason in kept else "other"] += count
    rows = ((stream, index * cell, reason, count / cell) for (stream, index, reason), count in sorted(sums.items()))
    return table(("stream", "t", "reason", "failed"), rows)


def lateness(history: History, cell: int) -> Table:
    """Return per cell the generator's send lag (p99 over all streams) in milliseconds."""
    parts: dict[int, list[Histogram]] = defaultdict(list)
    for sample in history.samples:
        parts[sample.second // cell].append(sample.lag_us)
    rows = (
        (index * cell, _milliseconds(merged.quantile_us(0.99)))
        for index, histograms in sorted(parts.items())
        if (merged := Histogram.merged(histograms)).counts
    )
    return table(("t", "lag"), rows)


def utilization(history: History, cell: int, order: Sequence[str]) -> Table:
    """Return per resource and cell: utilisation, share of busy time blocked, queue length, rejections per second.

    Resources come in `order`, then by name. A queue has no servers; its fill (length / limit) stands for utilisation.
    """
    by_resource: dict[str, list[ResourceSample]] = defaultdict(list)
    for sample in history.resources:
        by_resource[sample.resource].append(sample)
    places = {resource: place for place, resource in enumerate(order)}
    rows: list[Sequence[Value]] = []
    for resource in sorted(by_resource, key=lambda name: (places.get(name, len(places)), name)):
        rows.extend((resource, *cells) for cells in _resource_cells(by_resource[resource], cell))
    return table(("resource", "t", "utilization", "blocked", "queue", "rejected"), rows)


def _resource_cells(samples: Sequence[ResourceSample], cell: int) -> Iterable[Sequence[Value]]:
    times = np.array([sample.t_s for sample in samples])
    servers = np.array([sample.servers for sample in samples])
    queue = np.array([sample.queue_length for sample in samples])
    limit = samples[-1].queue_limit
    edges = cell_edges(times, cell)
    busy = cell_growth(times, [sample.busy_s for sample in samples], edges)
    blocked = cell_growth(times, [sum(sample.blocked_s.values()) for sample in samples], edges)
    rejected = cell_growth(times, [sum(sample.rejections.values()) for sample in samples], edges)
    for place, start in enumerate(edges[:-1]):
        inside = (times >= start) & (times < start + cell)
        length = float(queue[inside].max()) if inside.any() else math.nan
        size = float(np.interp(start + cell / 2, times, servers))
        fill = busy[place] / (size * cell) if size > 0 else length / limit if limit else math.nan
        share = blocked[place] / busy[place] if busy[place] > 0 else 0.0
        yield (
            rounded(float(start), 6),
            rounded(min(fill, 9.99)),
            rounded(share, 2),
            rounded(length),
            rounded(rejected[place] / cell),
        )


def cell_edges(times: Floats, cell: int) -> Floats:
    """Return the edges of the whole cells that `times` cover; at least two edges or none."""
    first, last = math.floor(times[0] / cell), math.ceil(times[-1] / cell)
    return np.arange(max(first, 0), last + 1, dtype=np.float64) * cell


def cell_growth(times: Floats, counter: Sequence[float], edges: Floats) -> Floats:
    """Return how much a cumulative counter grew in each cell; NaN where nobody looked for `MAX_GAP_S`.

    A counter that falls was started again: its fall counts as no growth.
    """
    grown = np.maximum(np.diff(np.asarray(counter, dtype=np.float64)), 0.0)
    grown[np.diff(times) > max(MAX_GAP_S, 2 * (edges[1] - edges[0]) if len(edges) > 1 else MAX_GAP_S)] = math.nan
    total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(grown))))
    growth = np.diff(np.interp(edges, times, total))
    for place in np.flatnonzero(np.isnan(grown)):
        growth[(edges[:-1] < times[place + 1]) & (edges[1:] > times[place])] = math.nan
    return growth


def cpu(history: History, cell: int) -> Table:
    """Return per cell the CPU cores in use: the whole host and each process tree."""
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for host in history.host:
        series["host"].append((host.t_s, host.cpu_busy_s))
    for usage in history.usage:
        series[usage.source].append((usage.t_s, usage.cpu_s))
    rows: list[Sequence[Value]] = []
    for source, points in series.items():
        times = np.array([t_s for t_s, _ in points])
        edges = cell_edges(times, cell)
        growth = cell_growth(times, [value for _, value in points], edges)
        rows.extend(
            (source, rounded(float(start), 6), rounded(grown / cell))
            for start, grown in zip(edges[:-1], growth, strict=True)
        )
    return table(("source", "t", "cores"), rows)


def figures(history: History, cell: int) -> Table:
    """Return the target's own figures: the last reading of each instance in each cell."""
    last: dict[tuple[str, str, int], float] = {}
    for sample in history.figures:
        if sample.t_s >= 0:
            last[sample.figure, sample.instance, int(sample.t_s // cell)] = sample.value
    rows = (
        (figure, instance, index * cell, rounded(value, 4)) for (figure, instance, index), value in sorted(last.items())
    )
    return table(("figure", "instance", "t", "value"), rows)


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


def quantile_curves(plan: Plan, history: History) -> Table:
    """Return per stream, phase and clock the latency (ms) at 0, 1, 2 … nines, tenths of nines between.

    `nines` is -log10(1 - quantile). A curve ends where less than one sample lies beyond.
    """
    parts: dict[tuple[str, str, str], list[Histogram]] = defaultdict(list)
    for sample in history.samples:
        for phase in plan.phases:
            if phase.start_s <= sample.second < phase.end_s:
                parts[sample.stream, phase.name, "response"].append(sample.response_us)
                parts[sample.stream, phase.name, "service"].append(sample.service_us)
    rows: list[Sequence[Value]] = []
    for (stream, phase_name, clock), histograms in parts.items():
        merged = Histogram.merged(histograms)
        deepest = math.log10(merged.count) if merged.count else -1.0
        for step in range(int(deepest * 10) + 1 if deepest >= 0 else 0):
            nines = step / 10
            value = merged.quantile_us(1 - 10**-nines)
            rows.append((stream, phase_name, clock, nines, _milliseconds(value)))
    return table(("stream", "phase", "clock", "nines", "ms"), rows)
