"""Everything that the analysis looks at, computed once from a plan and a history."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chaoskit.analysis.demand import ENOUGH_ERROR, Arrivals, Background, Work, fit
from chaoskit.analysis.disturbances import active_windows, disturbed_windows, fault_results
from chaoskit.analysis.result import FaultResult, StreamPhase
from chaoskit.analysis.saturation import saturated_windows
from chaoskit.analysis.starvation import CpuWait, cpu_waits
from chaoskit.analysis.streams import EntrySeries, entry_series, in_phase, stream_phases
from chaoskit.analysis.topology import Topology
from chaoskit.analysis.windows import Mask, ResourceSeries, Series, resource_series, window_count
from chaoskit.plan.model import Plan
from chaoskit.records import Histogram, History

CLEAN_FAILED_RATIO: Final = 0.02
CLEAN_BACKLOG_RATIO: Final = 0.1
CLEAN_EXCESS: Final = 3
_BACKGROUND: Final[Mapping[str, Background]] = {"host": "always", "cpu": "likely"}
_NOT_OURS: Final = frozenset({"generator", "host"})
MOSTLY: Final = 0.5
DRAIN_ARRIVALS: Final = 50
"""A window is clean when at most 2 % of its arrivals failed, and as many were served as arrived to 10 % or 3."""


_CUTS: Final = frozenset({"gate", "abort", "setup_failed"})
"""Events that end a run before its last phase does."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Server-seconds of one resource per arrival of each stream (in the plan's order), and its servers.

    Servers that came or went within the run are those that it had when it gave way (see `_servers`).
    `own_s` is its own work; `blocked_s` what it is held while waiting for others, where those were not saturated and no
    fault was in force. `visits` counts how often one arrival comes by. `background_s` is done each second without any.
    `rough`: no capacity follows from it, since it rests on few readings or arrivals, or on windows in which it was full
    and nobody knows how many did not even come to it.
    """

    own_s: Series
    blocked_s: Series
    visits: Series
    servers: float
    residual: float
    background_s: float = 0.0
    rough: bool = False

    @property
    def free_servers(self) -> float:
        """The servers that arrivals may use: all, but for those that background work holds."""
        return max(0.0, self.servers - self.background_s)

    @property
    def total_s(self) -> Series:
        """Own work and undisturbed waiting."""
        return self.own_s + self.blocked_s


@dataclass(frozen=True, slots=True)
class Observations:
    """A run as the analysis sees it: counters by window, streams by second, faults, demands.

    `baseline_service_s` is the mean service time of each stream's successes at baseline, in seconds; 0: not known.
    `cpu_waits` says of each instance how long it was kept from running.
    """

    plan: Plan
    history: History
    series: Mapping[str, ResourceSeries]
    saturated: Mapping[str, Mask]
    topology: Topology
    phases: Mapping[str, Mapping[str, StreamPhase]]
    entries: tuple[EntrySeries, ...]
    faults: tuple[FaultResult, ...]
    active: Mapping[str, Mask]
    demands: Mapping[str, Demand]
    arrivals: Arrivals
    baseline_service_s: Series
    cpu_waits: Mapping[str, CpuWait]

    @property
    def names(self) -> tuple[str, ...]:
        """The streams, in the order of every demand."""
        return tuple(stream.name for stream in self.plan.streams)

    @property
    def cut_s(self) -> float:
        """When the run was cut short: by the gate, an abort or a kill; infinite for a run played to its end."""
        ends = [event.t_s for event in self.history.events if event.event in _CUTS]
        return min(ends, default=self._recorded_s if self.was_killed else math.inf)

    @property
    def was_killed(self) -> bool:
        """Whether the records end in the middle: neither the gate nor an abort ended the run, nor its last phase."""
        history, final = self.history, self.plan.phases[-1].name if self.plan.phases else None
        stopped = any(event.event in _CUTS for event in history.events)
        ended = any(event.phase == final and event.step == "ended" for event in history.phases)
        return bool(history.phases) and not stopped and not ended

    @property
    def _recorded_s(self) -> float:
        return float(max((batch.second + 1 for batch in self.history.samples), default=0))

    @property
    def watched_s(self) -> float:
        """Until when the load was watched: its planned end, or when the run was cut short or its records end."""
        played = any(event.step == "ended" for event in self.history.phases) and not self.was_killed
        return min(self.plan.duration_s, self.cut_s, math.inf if played else self._recorded_s)

    def phase_windows(self, phase: str | None) -> slice:
        """Return the whole windows of `phase`, its ramp left out; the empty slice where there is none."""
        if phase is None:
            return slice(0, 0)
        planned = self.plan.phase(phase)
        return slice(math.ceil(planned.start_s + planned.ramp_s), math.floor(planned.end_s))

    @property
    def host_full_at_baseline_ratio(self) -> float:
        """For how much of the baseline the machine's CPU was full (0 … 1); 0 where nothing is known."""
        full, windows = self.saturated.get("host.cpu"), self.phase_windows(self.plan.baseline_phase)
        known = np.zeros(0) if full is None else full[windows][self.series["host.cpu"].known[windows]]
        return float(known.mean()) if known.size else 0.0

    @property
    def host_was_full(self) -> bool:
        """Whether the machine had no CPU left before anything was asked of the target: that is not what changed."""
        return self.host_full_at_baseline_ratio >= MOSTLY

    def mean_utilization(self, resource: str, phase: str | None) -> float:
        """Return the mean utilisation of a resource over a phase; 0 where nothing is known."""
        one, windows = self.series[resource], self.phase_windows(phase)
        known = one.utilization[windows][one.known[windows]]
        return float(known.mean()) if known.size else 0.0

    def offered_utilization(self, resource: str, window: int) -> float:
        """Return the utilisation that the arrivals offered in `window` would ask for, at undisturbed demand.

        It is that of the servers there were in `window`, or where that is not known of those that are there usually.
        """
        demand = self.demands[resource]
        asked_s = float(self.arrivals.offered[window] @ demand.total_s) + demand.background_s
        servers = float(self.series[resource].servers[window]) or demand.servers
        return asked_s / servers if servers else 0.0


def observe(plan: Plan, history: History) -> Observations:
    """Cut the history into windows and estimate every demand."""
    series = resource_series(plan, history)
    phases = stream_phases(plan, history)
    entries = tuple(entry_series(plan, history, phases))
    faults = fault_results(plan, history)
    saturated = saturated_windows(series)
    topology = Topology(plan, series)
    arrivals = _arrivals(plan, entries)
    quiet = ~disturbed_windows(plan, faults)
    steady = ~_draining(arrivals) & ~_stepping(plan)
    demands = {
        one.id: _demand(one, topology, saturated, arrivals, quiet, steady)
        for one in series.values()
        if one.kind != "queue"
    }
    return Observations(
        plan=plan,
        history=history,
        series=series,
        saturated=saturated,
        topology=topology,
        phases=phases,
        entries=entries,
        faults=faults,
        active={fault.id: active_windows(plan, fault) for fault in faults},
        demands=demands,
        arrivals=arrivals,
        baseline_service_s=_baseline_service(plan, history),
        cpu_waits=cpu_waits(history, window_count(plan)),
    )


def _baseline_service(plan: Plan, history: History) -> Series:
    if plan.baseline_phase is None:
        return np.zeros(len(plan.streams))
    phase = plan.phase(plan.baseline_phase)
    merged = [
        Histogram.merged(b.service_us for b in history.samples if b.stream == stream.name and in_phase(b, phase))
        for stream in plan.streams
    ]
    return np.array([times.total_us / times.count / 1e6 if times.count else 0.0 for times in merged])


def demand_in(seen: Observations, resource: str, windows: Mask) -> Series:
    """Return the demand per arrival of each stream, waiting included, as it was in `windows` (under a fault, say).

    The time of one visit is taken from those windows, S = B / C; how often an arrival comes by, from the undisturbed
    ones: while something is slow, what is held up before it hides how many would have come. Windows at the edges, which
    the fault filled only in part, do not count where there are others.
    """
    one = seen.series[resource]
    inner = windows & np.roll(windows, 1) & np.roll(windows, -1)
    known = (inner if (inner & one.known).any() else windows) & one.known
    per_visit_s = float(one.busy_s[known].sum()) / max(1.0, float(one.completions[known].sum()))
    return seen.demands[resource].visits * per_visit_s


def _arrivals(plan: Plan, entries: tuple[EntrySeries, ...]) -> Arrivals:
    shape = (window_count(plan), len(plan.streams))
    offered: NDArray[np.float64] = np.zeros(shape)
    served: NDArray[np.float64] = np.zeros(shape)
    ok: NDArray[np.float64] = np.zeros(shape)
    columns = {stream.name: column for column, stream in enumerate(plan.streams)}
    for entry in entries:
        column = columns[entry.stream]
        offered[:, column] += entry.offered
        served[:, column] += entry.served
        ok[:, column] += entry.ok
    asked = offered.sum(axis=1)
    kept_up = np.abs(served - offered).sum(axis=1) <= np.maximum(CLEAN_EXCESS, CLEAN_BACKLOG_RATIO * asked)
    clean = ((offered - ok).sum(axis=1) <= CLEAN_FAILED_RATIO * asked) & kept_up
    late = np.zeros_like(clean)
    for entry in entries:
        late |= entry.lag_s > plan.generator.max_lag_s
    surge = np.array([stream.baseline_rps * stream.surge_multiple for stream in plan.streams])
    return Arrivals(offered, served, clean, late, surge)


def _demand(
    one: ResourceSeries,
    topology: Topology,
    saturated: Mapping[str, Mask],
    arrivals: Arrivals,
    quiet: Mask,
    steady: Mask,
) -> Demand:
    usable = one.known & (arrivals.offered.sum(axis=1) > 0)
    usable = next((mask for mask in (usable & quiet & steady, usable & quiet) if mask.any()), usable)
    thinned = _thinned(one, topology, saturated, arrivals)
    told = usable & ~thinned & ~_rising(arrivals)
    usable = _unthinned(one, saturated, arrivals, usable, thinned)
    turned_away = usable & thinned
    before, arrivals = arrivals, arrivals.come_through(one.arrivals, told, turned_away)
    unclear = arrivals is before and bool((turned_away & saturated[one.id]).any())
    contended = np.zeros_like(usable)
    for supplier in topology.all_suppliers(one):
        contended |= _around(saturated[supplier.id])
    free = usable & ~contended if (usable & ~contended).any() else usable
    if one.kind == "generator":  # it works for every arrival, whatever the target makes of it
        arrivals = replace(arrivals, served=arrivals.offered)
    clean = usable & arrivals.clean
    if not _read_often_enough(one, clean & ~_around(saturated[one.id]), clean):
        arrivals = replace(arrivals, clean=np.zeros_like(clean))
    waiting: Background = "never" if one.reading_s else "maybe"
    enough_read = _read_often_enough(one, usable & ~_around(saturated[one.id]), usable)
    background = _BACKGROUND.get(one.kind, waiting)
    # Full throughout, a processor does not show what for; nor where it worked for a few ticks only.
    if one.kind == "cpu" and (saturated[one.id][usable].mean() >= MOSTLY or not enough_read):
        background = "never"
    own = fit(_work(one, one.own_s), arrivals, usable, background)
    blocked = fit(_work(one, one.all_blocked_s), arrivals, free, waiting)
    visits = fit(Work(one.arrivals, one.completions), arrivals, usable)
    return Demand(
        own.demand_s,
        blocked.demand_s,
        visits.demand_s,
        servers=_servers(one, saturated[one.id], arrivals),
        residual=max(own.residual, blocked.residual),
        background_s=own.background_s + blocked.background_s,
        rough=(unclear and "offered" in {own.basis, blocked.basis})
        or not enough_read
        or not (one.completions.any() or one.kind in _NOT_OURS or arrivals.enough(usable)),
    )


def _thinned(one: ResourceSeries, topology: Topology, saturated: Mapping[str, Mask], arrivals: Arrivals) -> Mask:
    """Return the windows in which something upstream was full or the generator late: not all came through to `one`."""
    thinned = arrivals.late.copy()
    for holder in topology.holders(one):
        if holder.kind != "generator":
            thinned |= _around(saturated[holder.id])
    return thinned


def _servers(one: ResourceSeries, full: Mask, arrivals: Arrivals) -> float:
    """Return how many servers there were when it counted: when it gave way, or else under the highest load.

    Capacity may move within a run, by an autoscaler for instance. What came when the harm was done is no help, and what
    was there in time is what carried the load. It gave way when it was full and arrivals failed or fell behind: a pool
    that grows on demand may be full all the time, and harm nobody.
    """
    gave_way = one.known & full & ~arrivals.clean
    if gave_way.any():
        return float(one.servers[int(np.argmax(gave_way))])
    asked = arrivals.offered.sum(axis=1)
    highest = one.known & (asked >= MOSTLY * asked.max(initial=0.0))
    counted = highest if highest.any() else one.known
    return float(np.median(one.servers[counted])) if counted.any() else 0.0


def _unthinned(
    one: ResourceSeries, saturated: Mapping[str, Mask], arrivals: Arrivals, usable: Mask, thinned: Mask
) -> Mask:
    """Leave out the windows that are `thinned`.

    Where too few arrivals would be left, windows in which nearly all were served stay all the same, and at last all
    usable ones; the fit then finds out what was served.
    """
    # What a full resource refuses or still has in its queue need not be like what it served: free windows come first.
    free = ~_around(saturated[one.id])
    # Where it was full and nobody counted what came, the time used tells what it has and not what was asked of it.
    counted = one.completions.any() or one.kind in _NOT_OURS
    telling = usable if counted or not (usable & free).any() else usable & free
    for kept in (telling & ~thinned & free, telling & ~thinned, telling & (~thinned | arrivals.clean)):
        if arrivals.enough(kept) and _read_often_enough(one, kept & free, kept):
            return kept
    return telling


def _read_often_enough(one: ResourceSeries, chance: Mask, rows: Mask) -> bool:
    """Return whether the busy time in `rows` is known well enough, where it is made of readings of servers in use.

    What is read where the resource is not full is left to `chance`: a count, whose variance is the count itself. Where
    it is told in ticks, one may be missing at either end.
    """
    spread_s2 = one.reading_s * float(one.busy_s[chance].sum()) + (2 * one.tick_s) ** 2
    return spread_s2 <= (ENOUGH_ERROR * float(one.busy_s[rows].sum())) ** 2


def _around(mask: Mask) -> Mask:
    """Return the windows of `mask` and their neighbours."""
    widened: Mask = mask | np.roll(mask, 1) | np.roll(mask, -1)
    return widened


def _draining(arrivals: Arrivals) -> Mask:
    """Return the windows just after the load fell by half or more: what is still served then arrived earlier."""
    asked = arrivals.offered.sum(axis=1)
    fell = np.concatenate(([False], asked[1:] < asked[:-1] / 2)) & (np.roll(asked, 1) >= DRAIN_ARRIVALS)
    drained: Mask = fell | np.roll(fell, 1) | np.roll(fell, 2)
    return drained


def _rising(arrivals: Arrivals) -> Mask:
    """Return the windows on both sides of a rise to twice the load or more."""
    asked = arrivals.offered.sum(axis=1)
    rose = np.concatenate(([False], asked[1:] > 2 * asked[:-1])) & (asked >= DRAIN_ARRIVALS)
    rising: Mask = rose | np.roll(rose, -1)
    return rising


def _stepping(plan: Plan) -> Mask:
    """Return the windows on both sides of a step of the load: counters that are read in between blur it."""
    stepped = np.zeros(window_count(plan), dtype=np.bool_)
    for before, after in pairwise(plan.phases):
        if after.ramp_s == 0 and after.multiply != before.multiply:
            stepped[max(0, math.ceil(after.start_s) - 1) : math.floor(after.start_s) + 1] = True
    return stepped


def _work(one: ResourceSeries, used_s: Series) -> Work:
    """Return the time used, and the work that a window's arrivals bring: arrivals x service time where both count."""
    per_completion = np.divide(used_s, one.completions, out=np.zeros_like(used_s), where=one.completions > 0.5)
    return Work(np.where(one.completions > 0.5, one.arrivals * per_completion, used_s), used_s)
