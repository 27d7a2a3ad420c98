"""The state of a running plan, for whoever watches: the command line now, a web page later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from chaoskit.plan.model import Plan
from chaoskit.records import (
    UNSENT,
    FaultEvent,
    GeneratorHealth,
    MessageBatch,
    Record,
    ResourceSample,
    RunEvent,
    SampleBatch,
)
from chaoskit.runner.window import Seconds

# Answers of a second may still be on their way when it ends; the live view shows one that has settled.
_SETTLED_S = 2
_P99_SECONDS = (1, 3, 10)  # a stream of 30/s has its p99 in ten seconds


@dataclass(frozen=True, slots=True)
class StreamNow:
    """One stream in the last settled second: planned and achieved rates, errors.

    `p99_s` is the p99 response, over up to ten seconds where one has too few successes; None where those have, too.
    `listeners` are its subscribers, `messages_rps` what comes to them.
    """

    planned_rps: int
    ok_rps: int
    failed_rps: int
    p99_s: float | None
    listeners: int = 0
    messages_rps: int = 0


@dataclass(frozen=True, slots=True)
class GeneratorNow:
    """The load generator itself, over all its processes: how late, how busy, how full.

    `lag_p99_s` is the send lag of the last settled second (None: nothing was sent), `loop_lag_s` the worst of any
    process, `cpu_ratio` that of the busiest one (0 … 1), `unsent` counts arrivals since the start that were dropped.
    """

    processes: int = 0
    lag_p99_s: float | None = None
    loop_lag_s: float = 0.0
    cpu_ratio: float = 0.0
    connections: int = 0
    backlog: int = 0
    unsent: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a watcher sees at one moment; `faults` are the titles of those in force."""

    t_s: float
    phase: str
    streams: Mapping[str, StreamNow]
    faults: tuple[str, ...]
    busiest: tuple[tuple[str, float], ...]
    in_flight: int
    notes: tuple[str, ...]
    generator: GeneratorNow = GeneratorNow()


class Watcher(Protocol):
    """Somebody who looks on. Every method returns at once and raises nothing."""

    def stage(self, sentence: str) -> None:
        """Say which step of the run's life begins."""

    def update(self, snapshot: Snapshot) -> None:
        """Show the state; called twice a second while phases play."""


class NoWatcher:
    """Nobody looks on."""

    def stage(self, sentence: str) -> None:
        """Say nothing."""

    def update(self, snapshot: Snapshot) -> None:
        """Show nothing."""


@dataclass(slots=True)
class LiveState:
    """Gathers records into the present state."""

    plan: Plan
    seconds: Seconds = field(default_factory=Seconds)
    _titles: dict[str, str] = field(init=False)
    _faults: dict[str, str] = field(default_factory=dict)
    _resources: dict[str, tuple[ResourceSample, float]] = field(default_factory=dict)
    _generators: dict[int, tuple[GeneratorHealth, float]] = field(default_factory=dict)
    _unsent: int = 0
    _notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._titles = {fault.id: fault.title for fault in self.plan.faults}

    def add(self, record: Record) -> None:
        """Take one record in."""
        match record:
            case SampleBatch():
                self.seconds.add(record)
                self._unsent += record.failed.get(UNSENT, 0)
            case MessageBatch():
                self.seconds.add_messages(record)
            case ResourceSample():
                self._add_resource(record)
            case GeneratorHealth():
                self._add_health(record)
            case FaultEvent(step="applied"):
                self._faults[record.fault] = self._titles.get(record.fault, record.fault)
            case FaultEvent(step="lifted"):
                self._faults.pop(record.fault, None)
            case RunEvent():
                self._notes.append(f"{record.event}: {record.detail}")
            case _:
                pass

    def _add_health(self, health: GeneratorHealth) -> None:
        before, cpu_ratio = self._generators.get(health.worker, (health, 0.0))
        if health.t_s > before.t_s:
            cpu_ratio = max(0.0, (health.cpu_s - before.cpu_s) / (health.t_s - before.t_s))
        self._generators[health.worker] = (health, cpu_ratio)

    def _generator(self, settled: int) -> GeneratorNow:
        names = tuple(stream.name for stream in self.plan.streams)
        lag_us = self.seconds.tally(names, settled, settled).lag_us.quantile_us(0.99)
        healths = [health for health, _ in self._generators.values()]
        return GeneratorNow(
            processes=len(healths),
            lag_p99_s=None if lag_us is None else lag_us / 1e6,
            loop_lag_s=max((health.loop_lag_s for health in healths), default=0.0),
            cpu_ratio=max((cpu_ratio for _, cpu_ratio in self._generators.values()), default=0.0),
            connections=sum(health.connections for health in healths),
            backlog=sum(health.backlog for health in healths),
            unsent=self._unsent,
        )

    def _add_resource(self, sample: ResourceSample) -> None:
        before = self._resources.get(sample.resource)
        utilization = 0.0
        if before is not None and sample.t_s > before[0].t_s and sample.servers > 0:
            window_s = sample.t_s - before[0].t_s
            utilization = (sample.busy_s - before[0].busy_s) / (window_s * sample.servers)
        self._resources[sample.resource] = (sample, max(0.0, utilization))

    def _response(self, stream: str, settled: int) -> float | None:
        """Return the p99 response in seconds over the last second, or over more where that is too few for a p99."""
        for seconds in _P99_SECONDS:
            histogram = self.seconds.tally((stream,), settled + 1 - seconds, settled).response_us
            if (p99_us := histogram.carried_us(0.99)) is not None:
                return p99_us / 1e6
        return None

    def snapshot(self, t_s: float) -> Snapshot:
        """Return the state at `t_s`."""
        between = "starting" if t_s < 0 else "draining"
        phase = next((phase.name for phase in self.plan.phases if phase.start_s <= t_s < phase.end_s), between)
        settled = max(0, int(t_s) - _SETTLED_S)
        streams = {}
        for stream in self.plan.streams:
            tally = self.seconds.tally((stream.name,), settled, settled)
            recent = self._response(stream.name, settled)
            planned = stream.expected_per_second[settled] if settled < len(stream.expected_per_second) else 0
            listeners, messages = self.seconds.heard(stream.name, settled)
            streams[stream.name] = StreamNow(planned, tally.ok, tally.failed, recent, listeners, messages)
        busiest = sorted(((used, name) for name, (_, used) in self._resources.items()), reverse=True)[:3]
        return Snapshot(
            t_s=t_s,
            phase=phase,
            streams=streams,
            faults=tuple(self._faults.values()),
            busiest=tuple((name, used) for used, name in busiest),
            in_flight=sum(health.in_flight for health, _ in self._generators.values()),
            notes=tuple(self._notes[-3:]),
            generator=self._generator(settled),
        )
