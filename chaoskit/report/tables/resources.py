"""What the target and the machine did: utilisation and queues of resources, CPU, the target's own figures."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from chaoskit.records import History, ResourceSample
from chaoskit.report.tables.columns import MAX_GAP_S, Table, Value, cell_edges, cell_growth, rounded, table


def utilization(history: History, cell: int, order: Sequence[str]) -> Table:
    """Return per resource and cell: utilisation, share of busy time blocked, queue length, rejections per second.

    Resources come in `order`, then by name. Utilisation is 1 at most, though readings a little apart may measure 1.01.
    A queue has no servers; its fill (length / limit) stands for utilisation.
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
            rounded(min(fill, 1.0)),
            rounded(share, 2),
            rounded(length),
            rounded(rejected[place] / cell),
        )


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
    """Return the target's own figures: the last reading of each instance in each cell; None where nobody looked."""
    last: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for sample in history.figures:
        if sample.t_s >= 0:
            last[sample.figure, sample.instance][int(sample.t_s // cell)] = sample.value
    rows: list[Sequence[Value]] = []
    for (figure, instance), readings in sorted(last.items()):
        before = min(readings)
        for index in sorted(readings):
            if (index - before) * cell > MAX_GAP_S:
                rows.append((figure, instance, (before + 1) * cell, None))
            rows.append((figure, instance, index * cell, rounded(readings[index], 4)))
            before = index
    return table(("figure", "instance", "t", "value"), rows)
