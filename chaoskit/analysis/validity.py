"""Does the run prove anything? Each condition is a check with a sentence; one that fails makes the run inconclusive."""

import math
from collections.abc import Collection, Iterator
from typing import Final

import numpy as np

from chaoskit.analysis.lost import lost_workers
from chaoskit.analysis.observations import Observations
from chaoskit.analysis.result import Check
from chaoskit.analysis.steadiness import steadiness
from chaoskit.metric import OF_ARRIVALS
from chaoskit.plan.model import PlannedPhase, PlannedStream
from chaoskit.records import UNSENT, SampleBatch, carried
from chaoskit.units import format_duration

OFFERED_TOLERANCE: Final = 0.01
"""In every second as many arrivals are offered as planned, to this ratio or a single one. The schedule is exact and an
arrival that could not be sent counts in the second in which it was due, so no second has a reason to differ."""

GENERATOR_CPU: Final = 0.9
LOOP_RATIO: Final = 0.2
HOST_FULL_RATIO: Final = 0.5
IMPOSSIBLE: Final = 1.25
"""No resource is busy for longer than its servers are there, but for the error of a scrape."""
UNKNOWN_RATIO: Final = 0.1


def checks(seen: Observations, blamed: Collection[str] = ()) -> tuple[Check, ...]:
    """Return every check that applies to the run, those that hold included; `blamed` are the resources found guilty."""
    if not _played(seen):
        return (_not_up(seen),)
    groups = (_records, _baseline, _samples, _offered, _faults, _generator, _percentiles, _alive, _scrapes, _possible)
    return (*(check for group in groups for check in group(seen)), *_connections(seen, blamed), *_host(seen, blamed))


def _played(seen: Observations) -> bool:
    """Return whether the run came as far as its first phase: set-up may have failed, or was stopped."""
    history = seen.history
    return bool(history.phases or history.samples or any(e.event in {"gate", "gate_open"} for e in history.events))


def _not_up(seen: Observations) -> Check:
    for event in seen.history.events:
        if event.event == "setup_failed":
            return Check("set-up", False, f"Set-up failed: {event.detail.rstrip('.')}.")
    said = "The target was not up: no load was played, so nothing was measured. What its parts said is in logs/."
    return Check("target", False, said)


def _records(seen: Observations) -> Iterator[Check]:
    if seen.was_killed:
        said = f"The records end at t = {seen.cut_s:.0f} s of {seen.plan.duration_s:.0f} s: the run was killed."
        yield Check("records", False, said)


def _baseline(seen: Observations) -> Iterator[Check]:
    for event in seen.history.events:
        if event.event in {"gate", "gate_open"}:
            opened = event.event == "gate_open"
            said = "opened" if opened else "stayed shut, nothing was disturbed"
            yield Check("gate", opened, f"The gate after the baseline {said}: {event.detail.rstrip('.')}.")
    if any(event.event in {"gate", "setup_failed"} for event in seen.history.events):
        return  # the gate has said what was not steady; halves of a baseline that was cut short say it otherwise
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
            and _plans_load(stream, phase)
            and seen.phases[stream.name][phase.name].offered == 0
            and not _all_waiting(seen, stream, phase)
        ]
        where = f"no samples in {', '.join(silent)}" if silent else "samples in every phase that plans load"
        yield Check(f"samples of {stream.name}", not silent, f"Stream {stream.name} has {where}.")


def _plans_load(stream: PlannedStream, phase: PlannedPhase) -> bool:
    """Return whether arrivals, or users of a closed stream, are planned in `phase`."""
    if stream.users is not None:
        return phase.multiply.get(stream.name, 1.0) > 0
    return sum(stream.expected_per_second[math.ceil(phase.start_s) : math.ceil(phase.end_s)]) > 0


def _all_waiting(seen: Observations, stream: PlannedStream, phase: PlannedPhase) -> bool:
    """Return whether users (who send nothing before they are answered) still waited when `phase` began, and in it."""
    if stream.users is None:
        return False
    own = [batch for batch in seen.history.samples if batch.stream == stream.name and batch.second < phase.start_s]
    begun = sum(batch.ok + sum(batch.failed.values()) for batch in own)
    ended = [done for done in seen.history.completions if done.stream == stream.name]
    before = sum(done.ok + done.failed for done in ended if done.second < phase.start_s)
    return before < begun and any(done.second >= phase.start_s for done in ended)


def _offered(seen: Observations) -> Iterator[Check]:
    for stream in seen.plan.streams:
        if stream.users is not None or seen.cut_s < seen.plan.duration_s:
            continue
        expected = np.zeros(len(seen.arrivals.offered))
        expected[: len(stream.expected_per_second)] = stream.expected_per_second
        offered = seen.arrivals.offered[:, seen.names.index(stream.name)]
        off = np.flatnonzero(np.abs(offered - expected) > np.maximum(OFFERED_TOLERANCE * expected, 1))
        said = f"{offered.sum():,.0f} arrivals of {stream.name} were offered, {expected.sum():,.0f} were planned"
        if off.size:
            worst = int(off[np.argmax(np.abs(offered - expected)[off])])
            said += f"; {off.size} seconds differ by more than {OFFERED_TOLERANCE:.0%}, most second {worst} "
            said += f"({offered[worst]:,.0f} for {expected[worst]:,.0f})"
        else:
            said += f", and no second differs by more than {OFFERED_TOLERANCE:.0%} or a single one"
        yield Check(f"offered load of {stream.name}", not off.size, f"{said}.")


def _faults(seen: Observations) -> Iterator[Check]:
    for fault in seen.faults:
        if fault.applied_s is None and fault.planned_start_s >= seen.cut_s:
            continue
        if fault.applied_s is None:
            yield Check(f"fault {fault.id}", False, f"Fault {fault.id} was never applied.")
            continue
        proven = fault.effective is True
        words = {True: "took effect", False: "had no effect", None: "could not be measured"}
        said = words[fault.effective] if fault.receipts else "has no receipt"
        yield Check(f"fault {fault.id}", proven, f"Fault {fault.id} ({fault.title}) {said}.")
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
    yield from _loop(seen)
    yield from lost_workers(seen)


def _loop(seen: Observations) -> Iterator[Check]:
    """A loop that is held up reads answers late too, which send lag need not show."""
    bound_s, reports = seen.plan.generator.max_lag_s, seen.history.generator
    held_up = [report for report in reports if report.loop_lag_s > bound_s]
    if held_up:
        worst, ratio = max(held_up, key=lambda report: report.loop_lag_s), len(held_up) / len(reports)
        yield Check(
            "generator loop",
            ratio <= LOOP_RATIO,
            f"The loop of load process {worst.worker} was held up for {format_duration(worst.loop_lag_s)} at most; "
            f"{ratio:.0%} of all looks found more than {format_duration(bound_s)}.",
        )


def _connections(seen: Observations, blamed: Collection[str]) -> Iterator[Check]:
    """Connections that a slow target holds prove its slowness; only where they themselves are the root is it void."""
    if "generator.connections" in blamed:
        said = "The load generator had too few connections for this load: raise generator.connections."
        yield Check("generator connections", False, said)
        return
    unsent = sum(batch.failed.get(UNSENT, 0) for batch in seen.history.samples)
    if unsent:
        said = f"{unsent:,} arrivals were never sent, for no connection came free in time: the target held them all."
        yield Check("generator connections", True, said)


def _host(seen: Observations, blamed: Collection[str]) -> Iterator[Check]:
    """A full host makes the run void only where it explains harm: waits that are modelled need no CPU."""
    full = seen.saturated.get("host.cpu")
    if full is None:
        return
    if seen.host_was_full:
        yield _full_before(seen, blamed)
    windows = full[seen.phase_windows(seen.plan.surge_phase)]
    ratio = float(windows.mean()) if windows.size else 0.0
    shared = " It is shared with the load generator." if seen.plan.driver != "external" else ""
    fine = ratio <= HOST_FULL_RATIO or "host.cpu" not in blamed
    yield Check("host cpu", fine, f"The host's CPU was full for {ratio:.0%} of the surge.{shared}")


def _full_before(seen: Observations, blamed: Collection[str]) -> Check:
    """On a machine that is full from the start, whatever was slow may have waited for its turn: but for what was cut.

    Faults have receipts, and who is dead or cut off does not answer on any machine.
    """
    struck = {f"link:{link.kind}" for fault in seen.plan.faults for link in seen.plan.links if link.name in fault.links}
    doubted = [name for name in blamed if name not in struck and not name.startswith(("region:", "component:"))]
    ratio = seen.host_full_at_baseline_ratio
    said = f"The machine was full before the surge: its CPU had nothing left for {ratio:.0%} of the baseline."
    doubt = f" So it is not proven that {doubted[0]} is what gave way." if doubted else ""
    return Check("host cpu at baseline", not doubted, said + doubt)


def _percentiles(seen: Observations) -> Iterator[Check]:
    for objective in seen.plan.objectives:
        ends_s = seen.plan.phase(objective.phase).end_s if objective.phase is not None else seen.plan.duration_s
        if objective.metric not in OF_ARRIVALS or objective.quantile is None or ends_s > seen.cut_s:
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
    for event in seen.history.events:
        if event.event == "component_died":
            yield Check("components", False, f"A component died at t = {event.t_s:.1f} s: {event.detail}.")


def _scrapes(seen: Observations) -> Iterator[Check]:
    planned = [resource.id for resource in seen.plan.resources if resource.kind != "cpu"]
    if not planned:
        return
    loaded = math.floor(min(seen.plan.duration_s, seen.cut_s))
    if loaded < 1:
        return
    missing = [resource for resource in planned if resource not in seen.series]
    # A fault may cut off the scraping too, up to the scrapes beside it; that is its effect, no gap of the measurement.
    disturbed = np.zeros(loaded, dtype=np.bool_)
    for active in seen.active.values():
        for window in np.flatnonzero(active).tolist():
            disturbed[max(0, window - 1) : window + 2] = True
    undisturbed = ~disturbed
    undisturbed[[0, -1]] = False  # scrapes begin after the run's zero and may end before its last second does
    if not undisturbed.any():
        return
    gaps = {
        resource: 1 - float(seen.series[resource].known[:loaded][undisturbed].mean())
        for resource in planned
        if resource in seen.series
    }
    worst = max(gaps, key=lambda resource: (gaps[resource], resource), default=None)
    if missing:
        yield Check("resource metrics", False, f"No metrics were read for {', '.join(missing)}.")
    elif worst is not None:
        where = "the load outside of faults" if seen.faults else "the load"
        said = f"Metrics cover {1 - gaps[worst]:.0%} of {where} for {worst}, no less for all others."
        yield Check("resource metrics", gaps[worst] <= UNKNOWN_RATIO, said)


def _possible(seen: Observations) -> Iterator[Check]:
    """A third party's figures may be mapped wrongly: busier than all servers over a whole phase cannot be."""
    mapped = {resource.id for resource in seen.plan.resources if resource.mapping and resource.kind != "limiter"}
    for resource in sorted(mapped & seen.series.keys()):
        used = {phase.name: seen.mean_utilization(resource, phase.name) for phase in seen.plan.phases}
        phase = max(used, key=lambda name: used[name])
        if used[phase] > IMPOSSIBLE:
            said = f"{resource} is said to be busy for {used[phase]:.0%} of {phase}, which cannot be"
            yield Check(f"mapping of {resource}", False, f"{said}: check `servers` and `busy` of its `metrics`.")
