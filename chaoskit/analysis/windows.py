"""Resource counters cut into windows of one second.

Counters are cumulative and scraped at odd moments. Each is read off at the window edges by linear interpolation between
the two scrapes around the edge, and differenced. A counter that falls was restarted at zero; what it had counted before
is kept. A window that no scrapes enclose, or that lies in a gap of scraping, is not known.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from chaoskit.plan.model import Plan, PlannedResource
from chaoskit.records import History, ResourceSample

Series = NDArray[np.float64]
Mask = NDArray[np.bool_]
Waiting = Literal["measured", "declared", "unknown"]
"""How it is known what a resource waits for: its metrics say it, its manifest does, or nobody."""

TICK_S: Final = 0.01
"""The kernel tells a process's CPU time in ticks of this length, 1 / USER_HZ (proc(5), `stat`)."""

MAX_GAP_S: Final = 3.0
"""Scrapes further apart than this leave the windows between them unknown."""


@dataclass(frozen=True, slots=True)
class ResourceSeries:
    """One resource by window; every array has one value per second of the run.

    `busy_s` is server-seconds used, `blocked_s[on]` the part that waited for `on`, `queue_length` the longest seen.
    `known` marks the windows that scrapes enclose; elsewhere the values are 0. Where the waiting is but declared,
    all of `busy_s` counts as waiting, in equal parts. `reading_s` is how much time one reading stands for where
    `busy_s` was made of readings of how many servers were in use, and 0 where it was counted; `tick_s` how coarsely.
    """

    id: str
    kind_id: str
    kind: str
    known: Mask
    servers: Series
    busy_s: Series
    blocked_s: Mapping[str, Series]
    arrivals: Series
    completions: Series
    rejections: Series
    wait_s: Series
    queue_length: Series
    queue_limit: float | None
    sized_by: str | None = None
    setting: str | None = None
    feeds: str | None = None
    waiting: Waiting = "measured"
    reading_s: float = 0.0
    tick_s: float = 0.0

    @property
    def instance(self) -> str:
        """The instance that holds it: `gateway@us-east-1`."""
        return self.id.partition("/")[2].rpartition(".")[0]

    @property
    def region(self) -> str | None:
        """The region of its instance; None where it exists once, and for the load generator."""
        return None if self.kind == "generator" else self.instance.partition("@")[2] or None

    @property
    def all_blocked_s(self) -> Series:
        """Server-seconds held while waiting for something else."""
        return np.minimum(sum(self.blocked_s.values(), np.zeros_like(self.busy_s)), self.busy_s)

    @property
    def own_s(self) -> Series:
        """Server-seconds of the resource's own work: busy without blocked."""
        return self.busy_s - self.all_blocked_s

    @property
    def utilization(self) -> Series:
        """U = B / (m T) by window of T = 1 s; 0 where not known or without servers."""
        return np.divide(self.busy_s, self.servers, out=np.zeros_like(self.busy_s), where=self.servers > 0)


def window_count(plan: Plan) -> int:
    """Return how many windows of one second the run has, the drain included."""
    return max(1, math.ceil(plan.duration_s + plan.drain_s))


def without_restarts(values: Sequence[float]) -> Series:
    """Return a cumulative counter that never falls.

    A fall by half or more is a restart from zero. A smaller one is a correction (time accrued for work in progress that
    then ended earlier than the scrape assumed); the counter stands still until it is made up for.
    """
    raw = np.asarray(values, dtype=np.float64)
    restarted = (np.diff(raw) < 0) & (raw[1:] <= raw[:-1] / 2)
    lost = np.where(restarted, raw[:-1], 0.0)
    kept: Series = np.maximum.accumulate(raw + np.concatenate(([0.0], np.cumsum(lost))))
    return kept


def differences(times_s: Series, values: Sequence[float], count: int) -> Series:
    """Return how much a cumulative counter grew in each of `count` windows of one second from zero."""
    edges = np.interp(np.arange(count + 1, dtype=np.float64), times_s, without_restarts(values))
    return np.diff(edges)


def means(times_s: Series, levels: Sequence[float], count: int) -> Series:
    """Return the mean of a level in each of `count` windows of one second from zero.

    Between two scrapes it runs in a line, as counters do: where servers come, the time that they are used grows with
    them.
    """
    edges = np.arange(count + 1, dtype=np.float64)
    moments = np.union1d(times_s, edges)
    # Beside the first level, so that one that never moves is its own mean to the last bit.
    beside = np.interp(moments, times_s, levels) - levels[0]
    areas = np.concatenate(([0.0], np.cumsum(np.diff(moments) * (beside[1:] + beside[:-1]) / 2)))
    return levels[0] + np.diff(np.interp(edges, moments, areas))


def enclosed(times_s: Series, count: int) -> Mask:
    """Return which windows lie between scrapes no further apart than `MAX_GAP_S`."""
    starts = np.arange(count, dtype=np.float64)
    if times_s.size < 2:
        return np.zeros(count, dtype=np.bool_)
    known: Mask = (starts >= times_s[0]) & (starts + 1 <= times_s[-1])
    for before, after in pairwise(times_s.tolist()):
        if after - before > MAX_GAP_S:
            known &= (starts + 1 <= before) | (starts >= after)
    return known


def resource_series(plan: Plan, history: History) -> dict[str, ResourceSeries]:
    """Return every resource that was scraped, the host's and the components' CPU included, by id."""
    count = window_count(plan)
    scraped: dict[str, list[ResourceSample]] = {}
    for sample in history.resources:
        scraped.setdefault(sample.resource, []).append(sample)
    processors = set()
    for sample in _cpu_samples(plan, history):
        scraped.setdefault(sample.resource, []).append(sample)
        processors.add(sample.resource)
    planned = {resource.id: resource for resource in plan.resources}
    return {
        resource: replace(
            _one(_described(resource, planned.get(resource)), samples, count),
            tick_s=TICK_S if resource in processors else 0.0,
        )
        for resource, samples in sorted(scraped.items())
    }


def _described(resource: str, planned: PlannedResource | None) -> PlannedResource:
    """Return what the plan says of `resource`; the generator's and the host's are not in the plan."""
    if planned is not None:
        return planned
    head, _, name = resource.rpartition(".")
    owner, _, instance = head.partition("/")
    kind_id = f"generator.{name}" if owner == "generator" else f"{head.partition('@')[0]}.{name}"
    kind: Any = owner if owner in {"generator", "host"} else "server"
    return PlannedResource(resource, kind_id, instance, name, kind)


def _one(described: PlannedResource, unsorted: list[ResourceSample], count: int) -> ResourceSeries:
    samples = sorted(unsorted, key=lambda sample: sample.t_s)
    times_s = np.array([sample.t_s for sample in samples])
    known = enclosed(times_s, count)

    def grown(values: list[float]) -> Series:
        return np.where(known, differences(times_s, values, count), 0.0)

    causes = sorted({on for sample in samples for on in sample.blocked_s})
    waiting = _waiting(described, causes)
    busy_s = grown([sample.busy_s for sample in samples])
    blocked_s = {on: grown([sample.blocked_s.get(on, 0.0) for sample in samples]) for on in causes}
    if waiting == "declared":
        blocked_s = {on: busy_s / len(described.waits_for) for on in described.waits_for}
    longest = np.zeros(count)
    for sample in samples:
        if 0 <= sample.t_s < count:
            second = int(sample.t_s)
            longest[second] = max(longest[second], sample.queue_length)
    limits = [sample.queue_limit for sample in samples if sample.queue_limit is not None]
    completions = grown([sample.completions for sample in samples])
    arrivals = grown([sample.arrivals for sample in samples])
    return ResourceSeries(
        id=described.id,
        kind_id=described.kind_id,
        kind=described.kind,
        known=known,
        servers=np.where(known, means(times_s, [sample.servers for sample in samples], count), 0.0),
        busy_s=busy_s,
        blocked_s=blocked_s,
        arrivals=arrivals if arrivals.any() else completions,
        completions=completions,
        rejections=grown([sum(sample.rejections.values()) for sample in samples]),
        wait_s=grown([sample.wait_s for sample in samples]),
        queue_length=longest,
        queue_limit=limits[-1] if limits else None,
        sized_by=described.sized_by,
        setting=described.setting,
        feeds=described.feeds,
        waiting=waiting,
        reading_s=_reading_s(described, times_s),
    )


def _reading_s(described: PlannedResource, times_s: Series) -> float:
    if described.mapping is None or not described.mapping.level or times_s.size < 2:
        return 0.0
    return float(np.median(np.diff(times_s)))


def _waiting(described: PlannedResource, causes: Sequence[str]) -> Waiting:
    if causes:
        return "measured"
    if described.waits_for:
        return "declared"
    # Our own resource metrics name every wait; a third party's are silent, which does not mean that there is none.
    return "unknown" if described.mapping is not None and described.kind != "cpu" else "measured"


def _cpu_samples(plan: Plan, history: History) -> list[ResourceSample]:
    """Return the host's CPU, and that of planned `cpu` resources which no scrape covers, as resource samples.

    A component has the cores that its manifest gives it (the resource's setting), and never more than the host has.
    """
    samples = [ResourceSample(host.t_s, "host.cpu", host.cpu_count, host.cpu_busy_s) for host in history.host]
    covered = {sample.resource for sample in history.resources}
    cpus = {r.instance: r for r in plan.resources if r.kind == "cpu" and r.id not in covered}
    cores = history.host[-1].cpu_count if history.host else 1
    samples += [
        ResourceSample(usage.t_s, cpus[usage.source].id, _cores(cpus[usage.source].setting, cores), usage.cpu_s)
        for usage in history.usage
        if usage.source in cpus
    ]
    return samples


def _cores(setting: str | None, of_host: int) -> float:
    try:
        cores = float(setting or 0.0)
    except ValueError:  # a manifest's own resource, sized by something else than cores
        cores = 0.0
    return min(cores, of_host) if cores > 0 else of_host
