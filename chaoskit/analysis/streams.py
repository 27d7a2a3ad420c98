"""What the client side saw: each stream by second and by phase."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from chaoskit.analysis.measure import quantiles_s
from chaoskit.analysis.messages import messages_in
from chaoskit.analysis.result import StreamPhase
from chaoskit.analysis.windows import Series, window_count
from chaoskit.plan.model import Plan, PlannedPhase
from chaoskit.records import LOST, Histogram, History, SampleBatch

LATE_FACTOR: Final = 10.0
LATE_FLOOR_S: Final = 0.02
"""Without an objective, an answer is late when it takes ten times the p99 of baseline, and never below 20 ms."""


@dataclass(frozen=True, slots=True)
class EntrySeries:
    """One stream through one entry; arrays by second of the intended start, but for `served` (second of the end).

    `late` counts successes that came after the bound `late_s`, `harmed` = failed + late. `lag_s` is the p99 of send
    lag, `behind` counts arrivals not sent within the lag that the plan allows. Those `lost` with their load process
    failed, but nobody harmed them.
    """

    stream: str
    entry: str
    offered: Series
    ok: Series
    late: Series
    served: Series
    lag_s: Series
    late_s: Series
    behind: Series
    lost: Series

    @property
    def harmed(self) -> Series:
        """Arrivals that failed or came late."""
        return self.offered - self.ok - self.lost + self.late


def stream_phase(batches: Iterable[SampleBatch], length_s: float) -> StreamPhase:
    """Sum the batches of one stream in one phase of `length_s` seconds."""
    kept = list(batches)
    failed: dict[str, int] = {}
    for batch in kept:
        for reason, count in batch.failed.items():
            failed[reason] = failed.get(reason, 0) + count
    ok = sum(batch.ok for batch in kept)
    offered = ok + sum(failed.values())
    lag = Histogram.merged(batch.lag_us for batch in kept)
    lag_us = lag.quantile_us(0.99)  # of all that were sent, and no estimate: any number of them carries it
    return StreamPhase(
        offered=offered,
        ok=ok,
        failed=dict(sorted(failed.items())),
        offered_rps=offered / length_s if length_s else 0.0,
        ok_rps=ok / length_s if length_s else 0.0,
        errors_ratio=1 - ok / offered if offered else 0.0,
        response_s=quantiles_s(batch.response_us for batch in kept),
        service_s=quantiles_s(batch.service_us for batch in kept),
        lag_p99_s=None if lag_us is None else lag_us / 1e6,
        attempts_per_arrival=sum(batch.attempts for batch in kept) / offered if offered else 0.0,
    )


def in_phase(batch: SampleBatch, phase: PlannedPhase) -> bool:
    """Return whether the batch's second begins within `phase`."""
    return phase.start_s <= batch.second < phase.end_s


def stream_phases(plan: Plan, history: History) -> dict[str, dict[str, StreamPhase]]:
    """Return every stream by every phase of the plan."""
    return {
        stream.name: {
            phase.name: replace(
                stream_phase(
                    (batch for batch in history.samples if batch.stream == stream.name and in_phase(batch, phase)),
                    phase.end_s - phase.start_s,
                ),
                messages=messages_in(history, stream.name, [phase]),
            )
            for phase in plan.phases
        }
        for stream in plan.streams
    }


def late_bounds_s(plan: Plan, phases: Mapping[str, Mapping[str, StreamPhase]], stream: str) -> Series:
    """Return, by second, the response time above which an answer of `stream` is late.

    A latency objective of the second's phase says it; else ten times the baseline's largest known quantile.
    """
    baseline = phases.get(stream, {}).get(plan.baseline_phase or "")
    usual_s = max(baseline.response_s.values(), default=0.1) if baseline else 0.1
    bounds = np.full(window_count(plan), max(LATE_FACTOR * usual_s, LATE_FLOOR_S))
    for objective in plan.objectives:
        if objective.metric != "quantile" or objective.stream not in {stream, None} or objective.comparison[0] != "<":
            continue
        for phase in plan.phases:
            if objective.phase in {phase.name, None}:
                bounds[math.floor(phase.start_s) : math.ceil(phase.end_s)] = objective.bound
    return bounds


def entry_series(plan: Plan, history: History, phases: Mapping[str, Mapping[str, StreamPhase]]) -> list[EntrySeries]:
    """Return one series per stream and entry that has samples, in order of name."""
    count = window_count(plan)
    bounds = {stream.name: late_bounds_s(plan, phases, stream.name) for stream in plan.streams}
    made: dict[tuple[str, str], EntrySeries] = {}

    def series(stream: str, entry: str) -> EntrySeries:
        if (stream, entry) not in made:
            offered, ok, late, served, lag_s, behind, lost = (np.zeros(count) for _ in range(7))
            late_s = bounds[stream]
            made[stream, entry] = EntrySeries(stream, entry, offered, ok, late, served, lag_s, late_s, behind, lost)
        return made[stream, entry]

    for batch in history.samples:
        if batch.stream not in bounds or not 0 <= batch.second < count:
            continue
        row, second = series(batch.stream, batch.entry), batch.second
        row.ok[second] += batch.ok
        row.offered[second] += batch.ok + sum(batch.failed.values())
        row.late[second] += batch.ok * batch.response_us.share_above(int(bounds[batch.stream][second] * 1e6))
        row.lost[second] += batch.failed.get(LOST, 0)
        in_time = batch.lag_us.count * (1 - batch.lag_us.share_above(int(plan.generator.max_lag_s * 1e6)))
        row.behind[second] += max(0.0, batch.ok + sum(batch.failed.values()) - batch.failed.get(LOST, 0) - in_time)
        row.lag_s[second] = max(row.lag_s[second], (batch.lag_us.quantile_us(0.99) or 0) / 1e6)
    for done in history.completions:
        if done.stream in bounds and 0 <= done.second < count:
            series(done.stream, done.entry).served[done.second] += done.ok
    return [made[key] for key in sorted(made)]
