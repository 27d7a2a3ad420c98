"""What the load did, by stream: arrivals and their fate, latency on both clocks, errors, lateness, quantiles."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from chaoskit.plan.model import Plan
from chaoskit.records import Histogram, History, SampleBatch
from chaoskit.report.tables.columns import Table, Value, rounded, table

MAX_REASONS: Final = 8
QUANTILES: Final = (0.5, 0.99)


def load(history: History, cell: int) -> Table:
    """Return per stream and cell: arrivals offered, ok and failed by intended start; answered by when they ended.

    A stream has a row for every cell from the first to the last that any stream has; no arrivals is zero.
    """
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for sample in history.samples:
        row = sums[sample.stream, sample.second // cell]
        row[0] += sample.ok
        row[1] += sum(sample.failed.values())
    for completion in history.completions:
        sums[completion.stream, completion.second // cell][2] += completion.ok
    rows: list[Sequence[Value]] = []
    for stream in sorted({stream for stream, _ in sums}):
        for index in _cells(sums):
            ok, failed, answered = sums.get((stream, index), (0, 0, 0))
            rows.append((stream, index * cell, (ok + failed) / cell, ok / cell, failed / cell, answered / cell))
    return table(("stream", "t", "offered", "ok", "failed", "answered"), rows)


def _cells(keys: Iterable[tuple[str, int]]) -> range:
    """Return every cell from the first to the last of `keys` (stream, cell)."""
    found = [index for _, index in keys]
    return range(min(found), max(found) + 1) if found else range(0)


def latency(history: History, cell: int) -> Table:
    """Return per stream and cell p50, p99 and the slowest of the successes on both clocks, in milliseconds.

    None where there was none, or too few to carry the quantile.
    """
    parts: dict[tuple[str, int], list[SampleBatch]] = defaultdict(list)
    for sample in history.samples:
        parts[sample.stream, sample.second // cell].append(sample)
    rows: list[Sequence[Value]] = []
    for stream in sorted({stream for stream, _ in parts}):
        for index in _cells(parts):
            batches = parts.get((stream, index), [])
            response = _quantiles(batch.response_us for batch in batches)
            service = _quantiles(batch.service_us for batch in batches)
            rows.append((stream, index * cell, *response, *service))
    names = (f"{clock}_{quantile}" for clock in ("response", "service") for quantile in ("p50", "p99", "max"))
    return table(("stream", "t", *names), rows)


def _quantiles(histograms: Iterable[Histogram]) -> list[float | None]:
    merged = Histogram.merged(histograms)
    slowest = merged.max_us if merged.count else None
    return [_milliseconds(value) for value in (*map(merged.carried_us, QUANTILES), slowest)]


def lateness(history: History, cell: int) -> Table:
    """Return per cell the generator's send lag (p99 over all streams) in milliseconds; None where nothing was sent."""
    parts: dict[int, list[Histogram]] = defaultdict(list)
    for sample in history.samples:
        parts[sample.second // cell].append(sample.lag_us)
    rows = (
        (index * cell, _milliseconds(Histogram.merged(parts.get(index, [])).quantile_us(0.99)))
        for index in _cells(("", index) for index in parts)
    )
    return table(("t", "lag"), rows)


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


def quantile_curves(plan: Plan, history: History) -> Table:
    """Return per stream, phase and clock the latency (ms) at 0, 1, 2 … nines, tenths of nines between.

    `nines` is -log10(1 - quantile). A curve ends where the samples carry it no further.
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
        step = 0
        while (value := merged.carried_us(1 - 10 ** (-step / 10))) is not None:
            rows.append((stream, phase_name, clock, step / 10, _milliseconds(value)))
            step += 1
    return table(("stream", "phase", "clock", "nines", "ms"), rows)


def _milliseconds(value_us: int | None) -> float | None:
    return None if value_us is None else rounded(max(value_us, 1) / 1e3)
