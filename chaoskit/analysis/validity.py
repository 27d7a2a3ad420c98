"""Does the run prove anything? Each condition is a check with a sentence; one that fails makes the run inconclusive."""

import math
from collections.abc import Collection, Iterator
from typing import Final

from chaoskit.analysis.observations import Observations
from chaoskit.analysis.result import Check
from chaoskit.analysis.steadiness import steadiness
from chaoskit.plan.evidence import carried
from chaoskit.records import SampleBatch
from chaoskit.units import format_duration

OFFERED_TOLERANCE: Final = 0.01
GENERATOR_CPU: Final = 0.9
HOST_FULL_RATIO: Final = 0.5
UNKNOWN_RATIO: Final = 0.1
_LIFE: Final = frozenset({"kill", "stop", "pause", "restart"})


def checks(seen: Observations, blamed: Collection[str] = ()) -> tuple[Check, ...]:
    """Return every check that applies to the run, those that hold included; `blamed` are the resources found guilty."""
    groups = (_baseline, _samples, _offered, _faults, _generator, _percentiles, _alive, _scrapes)
    return (*(check for group in groups for check in group(seen)), *_host(seen, blamed))


def _baseline(seen: Observations) -> Iterator[Check]:
    for event in seen.history.events:
        if event.event in {"gate", "gate_open"}:
            opened = event.event == "gate_open"
            said = "opened" if opened else "stayed shut, nothing was disturbed"
            yield Check("gate", opened, f"The gate after the baseline {said}: {event.detail.rstrip('.')}.")
    if seen.plan.baseline_phase is None:
        yield Check("baseline", True, "The scenario has no baseline; nothing is compared with it.")
        return
    yield from steadiness(seen.plan, seen.history.samples)


def _samples(seen: Observations) -> Iterator[Check]:
    for stream in seen.plan.streams:
        silent = [
            phase.name
            for phase in seen.plan.phases
            if phase.end_s <= seen.cut_s
            and _planned(stream.expected_per_second, phase.start_s, phase.end_s) > 0
            and seen.phases[stream.name][phase.name].offered == 0
        ]
        where = f"no samples in {', '.join(silent)}" if silent else "samples in every phase that plans load"
        yield Check(f"samples of {stream.name}", not silent, f"Stream {stream.name} has {where}.")


def _planned(expected: tuple[int, ...], start_s: float, end_s: float) -> int:
    return sum(expected[math.ceil(start_s) : math.ceil(end_s)])


def _offered(seen: Observations) -> Iterator[Check]:
    for stream in seen.plan.streams:
        if stream.users is not None or seen.cut_s < seen.plan.duration_s:
            continue
        planned = sum(stream.expected_per_second)
        offered = sum(b.ok + sum(b.failed.values()) for b in seen.history.samples if b.stream == stream.name)
        agrees = abs(offered - planned) <= max(OFFERED_TOLERANCE * planned, 1)
        yield Check(
            f"offered load of {stream.name}",
            agrees,
            f"{offered} arrivals of {stream.name} were offered, {planned} were planned.",
        )


def _faults(seen: Observations) -> Iterator[Check]:
    for fault in seen.faults:
        if fault.applied_s is None and fault.planned_start_s >= seen.cut_s:
            continue
        if fault.applied_s is None:
            yield Check(f"fault {fault.id}", False, f"Fault {fault.id} was never applied.")
            continue
        proven = fault.effective is not False and bool(fault.receipts)
        words = {True: "took effect", False: "had no effect", None: "could not be measured on its link"}
        said = words[fault.effective] if fault.receipts else "has no receipt"
        yield Check(f"fault {fault.id}", proven, f"Fault {fault.id} ({fault.title}) {said}.")
        if fault.clean_after is False:
            yield Check(f"after {fault.id}", False, f"A link was not clean after {fault.id} had been lifted.")
    for event in seen.history.events:
        if event.event in {"fault_failed", "restore_failed"}:
            word = "applied" if event.event == "fault_failed" else "lifted"
            yield Check("faults", False, f"A fault could not be {word} at t = {event.t_s:.1f} s: {event.detail}.")


def _generator(seen: Observations) -> Iterator[Check]:
    bound_s = seen.plan.generator.max_lag_s
    lags = {
        (name, phase): values.lag_p99_s
        for name, phases in seen.phases.items()
        for phase, values in phases.items()
        if values.lag_p99_s is not None
    }
    if lags:
        (name, phase), worst_s = max(lags.items(), key=lambda item: (item[1] or 0.0, item[0]))
        worst_s = worst_s or 0.0
        yield Check(
            "generator lag",
            worst_s <= bound_s,
            f"The load generator sent {name} up to {format_duration(worst_s)} late in {phase} (p99 of lag); "
            f"the bound is {format_duration(bound_s)}.",
        )
    cpus = [one for one in seen.series.values() if one.kind_id == "generator.cpu"]
    used = {
        (one.id, phase.name): seen.mean_utilization(one.id, phase.name) for one in cpus for phase in seen.plan.phases
    }
    if used:
        (worker, phase), ratio = max(used.items(), key=lambda item: (item[1], item[0]))
        yield Check("generator cpu", ratio < GENERATOR_CPU, f"{worker} was busy for {ratio:.0%} of {phase} at most.")
    for event in seen.history.events:
        if event.event == "worker_lost":
            yield Check("load workers", False, f"A load worker was lost at t = {event.t_s:.1f} s: {event.detail}.")


def _host(seen: Observations, blamed: Collection[str]) -> Iterator[Check]:
    """A full host makes the run void only where it explains harm: waits that are modelled need no CPU."""
    full = seen.saturated.get("host.cpu")
    if full is None:
        return
    windows = full[seen.phase_windows(seen.plan.surge_phase)]
    ratio = float(windows.mean()) if windows.size else 0.0
    shared = " It is shared with the load generator." if seen.plan.driver == "process" else ""
    fine = ratio <= HOST_FULL_RATIO or "host.cpu" not in blamed
    yield Check("host cpu", fine, f"The host's CPU was full for {ratio:.0%} of the surge.{shared}")


def _percentiles(seen: Observations) -> Iterator[Check]:
    for objective in seen.plan.objectives:
        ends_s = seen.plan.phase(objective.phase).end_s if objective.phase is not None else seen.plan.duration_s
        if objective.quantile is None or ends_s > seen.cut_s:
            continue
        batches = [
            batch
            for batch in seen.history.samples
            if objective.stream in {batch.stream, None} and _within(seen, batch, objective.phase)
        ]
        offered = sum(batch.ok + sum(batch.failed.values()) for batch in batches)
        enough = carried(offered, objective.quantile)
        yield Check(
            f"percentile of '{objective.text}'",
            enough,
            f"'{objective.text}' rests on {offered} arrivals, which is {'enough' if enough else 'too few'}.",
        )


def _within(seen: Observations, batch: SampleBatch, phase: str | None) -> bool:
    if phase is None:
        return True
    planned = seen.plan.phase(phase)
    return planned.start_s <= batch.second < planned.end_s


def _alive(seen: Observations) -> Iterator[Check]:
    meant = {fault.component for fault in seen.plan.faults if fault.kind in _LIFE and fault.component}
    for event in seen.history.events:
        if event.event != "component_died" or any(component in event.detail for component in meant):
            continue
        yield Check("components", False, f"A component died at t = {event.t_s:.1f} s: {event.detail}.")


def _scrapes(seen: Observations) -> Iterator[Check]:
    planned = [resource.id for resource in seen.plan.resources if resource.kind != "cpu"]
    if not planned:
        return
    loaded = math.floor(min(seen.plan.duration_s, seen.cut_s))
    if loaded < 1:
        return
    missing = [resource for resource in planned if resource not in seen.series]
    gaps = {
        resource: 1 - float(seen.series[resource].known[:loaded].mean())
        for resource in planned
        if resource in seen.series
    }
    worst = max(gaps, key=lambda resource: (gaps[resource], resource), default=None)
    if missing:
        yield Check("resource metrics", False, f"No metrics were read for {', '.join(missing)}.")
    elif worst is not None:
        fine = gaps[worst] <= UNKNOWN_RATIO or bool(seen.faults)
        yield Check(
            "resource metrics", fine, f"Metrics cover {1 - gaps[worst]:.0%} of the load for {worst}, all others more."
        )
