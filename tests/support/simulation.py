"""A simulated day at an exchange: a real `Plan` and the `History` that such a run would leave behind.

    client -> gateway@region: rate_limit -> workers -> positions: db_pool -> link -> positions@region.connections
                                                    -> trading:   link -> engine.queue -> engine.matching

Nothing is scripted: requests queue for servers, hold them while they wait for the next, are refused or time out,
and the counters are what a scrape would read. A fault changes a delay or a route in its window and nothing else.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from chaoskit.plan.model import Plan, PlannedFault
from chaoskit.records import (
    Completions,
    FaultEvent,
    FigureSample,
    GeneratorHealth,
    Histogram,
    History,
    HostSample,
    PhaseEvent,
    Receipt,
    Record,
    ResourceSample,
    RunEvent,
    SampleBatch,
    UsageSample,
)
from tests.support.queueing import Limiter, Process, Simulation, Station
from tests.support.simulated_plan import AMPLE, Day, arrivals_of, plan_of

__all__ = ["AMPLE", "Day", "simulate"]

CLIENT_LINK_S = 0.0005
BACKEND_LINK_S = 0.0002
SCRAPE_EVERY_S = 0.5
SCRAPE_OFFSET_S = 0.13
HOST_CPUS = 8
TICKS_PER_S = 100
UNLIMITED = 1_000_000
CPU_LIMIT_SLOWNESS = 300.0


def simulate(day: Day | None = None) -> tuple[Plan, History]:
    """Play `day` (the default day where None) and return its plan and what its run recorded."""
    day = day or Day()
    drawn = {stream: arrivals_of(day, stream) for stream in ("trading", "positions")}
    plan = plan_of(day, drawn)
    exchange = _Exchange(day, plan)
    exchange.play(drawn)
    return plan, History.of(exchange.records)


@dataclass(slots=True)
class _Call:
    """One arrival on its way; the first end counts."""

    stream: str
    entry: str
    intended_s: float
    dispatched_s: float = -1.0
    sent_s: float = -1.0
    done_s: float = -1.0
    outcome: str = ""


@dataclass(slots=True)
class _Gateway:
    region: str
    limiter: Limiter
    workers: Station
    pool: Station
    backend: Station
    cpu: Station


@dataclass(slots=True)
class _Exchange:
    """The target, the generator and the observers of one run."""

    day: Day
    plan: Plan
    records: list[Record] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    simulation: Simulation = field(default_factory=Simulation)
    gateways: list[_Gateway] = field(init=False)
    engine: Station = field(init=False)
    cpu: Station = field(init=False)
    connections: Station = field(init=False)
    noise: random.Random = field(init=False)

    def __post_init__(self) -> None:
        day, simulation = self.day, self.simulation
        self.noise = random.Random(day.seed)
        self.engine = Station(simulation, "exchange/engine.matching", 1, day.queue_limit)
        self.cpu = Station(simulation, "generator/worker@0.cpu", 1)
        self.connections = Station(simulation, "generator/worker@0.connections", day.generator_connections)
        self.gateways = [
            _Gateway(
                region,
                Limiter(f"exchange/gateway@{region}.rate_limit", day.rate_limit),
                Station(simulation, f"exchange/gateway@{region}.workers", day.workers, day.worker_queue),
                Station(simulation, f"exchange/gateway@{region}.db_pool", day.db_pool),
                Station(simulation, f"exchange/positions@{region}.connections", day.connections),
                Station(simulation, f"exchange/gateway@{region}.cpu", 1 if day.cpus else UNLIMITED),
            )
            for region in day.regions
        ]

    def play(self, drawn: Mapping[str, np.ndarray]) -> None:
        """Run the load and the scrapes to the end of the drain, then write everything down."""
        for stream, times_s in drawn.items():
            for index, t_s in enumerate(times_s.tolist()):
                gateway = self.gateways[index % len(self.gateways)]
                call = _Call(stream, f"client->gateway@{gateway.region}", t_s)
                self.calls.append(call)
                self.simulation.at(t_s, self._request(call, gateway))
        if self.day.db_pool_grows is not None:
            grows_s, by = self.day.db_pool_grows
            for gateway in self.gateways:
                self.simulation.at(grows_s, partial(gateway.pool.enlarge, by))
        end_s = self.day.duration_s + self.plan.drain_s
        for tick in range(int(end_s / SCRAPE_EVERY_S)):
            self.simulation.at(tick * SCRAPE_EVERY_S + SCRAPE_OFFSET_S, self._scrape)
        self.simulation.run_until(end_s)
        self._write_calls()
        self._write_events()

    def _request(self, call: _Call, gateway: _Gateway) -> Process:
        yield self.cpu
        yield self.day.generator_cost_s
        self.cpu.release()
        call.dispatched_s = self.simulation.now
        yield self.connections
        call.sent_s = self.simulation.now
        self.connections.block("client->gateway")
        self.simulation.at(call.sent_s + self.day.timeout_s, lambda: self._finish(call, "timeout"))
        if self._struck(f"gateway@{gateway.region}", "kill"):
            self._finish(call, "refused")
        elif not self._is_lost(gateway.region):
            yield CLIENT_LINK_S
            yield self._standstill_s(f"gateway@{gateway.region}")
            yield from self._gateway(call, gateway)

    def _gateway(self, call: _Call, gateway: _Gateway) -> Process:
        if not gateway.limiter.admit(self.simulation.now):
            self._finish(call, "status 429")
            return
        if not (yield gateway.workers):
            self._finish(call, "status 503")
            return
        if call.outcome:
            gateway.workers.abandon()
            return
        yield from self._computed(gateway, self.day.cpu_time_s)
        yield self.day.worker_time_s * self._slowness(f"gateway@{gateway.region}")
        yield from self._positions(call, gateway) if call.stream == "positions" else self._trade(call, gateway)
        gateway.workers.release()

    def _positions(self, call: _Call, gateway: _Gateway) -> Process:
        asked_s = self.simulation.now
        gateway.workers.block("db_pool")
        yield gateway.pool
        gateway.workers.unblock("db_pool")
        if call.outcome and self.simulation.now > asked_s:
            gateway.pool.abandon()
            return
        for held in (gateway.workers, gateway.pool):
            held.block("gateway->positions")
        yield BACKEND_LINK_S + self._added_delay_s()
        dead = self._struck(f"positions@{gateway.region}", "kill")
        if not dead:
            yield gateway.backend
            yield self.day.query_time_s * self.noise.uniform(0.5, 1.5)
            yield self._standstill_s(f"positions@{gateway.region}")
            gateway.backend.release()
            if self.day.answer_time_s:
                yield from self._computed(gateway, self.day.answer_time_s)
        for held in (gateway.workers, gateway.pool):
            held.unblock("gateway->positions")
        gateway.pool.release()
        self._finish(call, "status 503" if dead else "")

    def _computed(self, gateway: _Gateway, cpu_time_s: float) -> Process:
        yield gateway.cpu
        yield cpu_time_s / (self.day.cpus or 1)
        gateway.cpu.release()

    def _trade(self, call: _Call, gateway: _Gateway) -> Process:
        gateway.workers.block("gateway->engine")
        yield BACKEND_LINK_S
        accepted = not self._struck("engine", "kill") and (yield self.engine)
        if accepted:
            yield self._standstill_s("engine")
            yield self.day.service_time_s * self._slowness("engine")
            self.engine.release()
        yield BACKEND_LINK_S
        gateway.workers.unblock("gateway->engine")
        self._finish(call, "" if accepted else "status 503")

    def _finish(self, call: _Call, failure: str) -> None:
        if call.outcome:
            return
        call.outcome = failure or "ok"
        call.done_s = self.simulation.now
        self.connections.unblock("client->gateway")
        self.connections.release()

    def _added_delay_s(self) -> float:
        window = self.day.latency
        active = window is not None and self.day.fault_works and window[0] <= self.simulation.now < window[1]
        return window[2] if window and active else 0.0

    def _is_lost(self, region: str) -> bool:
        window = self.day.region_lost
        return window is not None and region == self.day.regions[0] and window[0] <= self.simulation.now < window[1]

    def _struck(self, instance: str, kind: str) -> bool:
        """Return whether the day's component fault is of this kind and acts on `instance` now."""
        struck = self.day.struck
        if struck is None or not self.day.fault_works or struck[0] != kind:
            return False
        return struck[1] in (instance, instance.partition("@")[0]) and struck[2] <= self.simulation.now < struck[3]

    def _standstill_s(self, instance: str) -> float:
        """Return how long it still stands still."""
        struck = self.day.struck
        return struck[3] - self.simulation.now if struck and self._struck(instance, "pause") else 0.0

    def _slowness(self, instance: str) -> float:
        return CPU_LIMIT_SLOWNESS if self._struck(instance, "cpu_limit") else 1.0

    def _answers(self, resource: str) -> bool:
        """Return whether the instance that holds `resource` can be scraped."""
        instance = resource.partition("/")[2].rpartition(".")[0]
        return not self._struck(instance, "kill") and not self._struck(instance, "pause")

    def _scrape(self) -> None:
        t_s, cpu_s = self.simulation.now, self.cpu.sample(self.simulation.now).busy_s
        used = {f"gateway@{gateway.region}": self._used_s(gateway.cpu) for gateway in self.gateways}
        used["generator@0"] = cpu_s
        stations = [self.cpu, self.connections, self.engine]
        for gateway in self.gateways:
            stations += [gateway.workers, gateway.pool, gateway.backend]
            if self._answers(gateway.limiter.name):
                self.records.append(gateway.limiter.sample(t_s))
            stale_s = len(gateway.pool.queue) * self.day.query_time_s / self.day.db_pool
            self.records.append(
                FigureSample(t_s, f"gateway@{gateway.region}", "exchange_position_staleness_seconds", stale_s)
            )
        self.records += [station.sample(t_s) for station in stations if self._answers(station.name)]
        if self._answers(self.engine.name):
            self.records.append(_as_queue(self.engine.sample(t_s), "exchange/engine.queue"))
        denied = {f"gateway@{gateway.region}": self._denied_s(gateway.cpu) for gateway in self.gateways}
        self.records += [
            UsageSample(t_s, source, _in_ticks(busy_s), 80_000_000, 40, denied.get(source))
            for source, busy_s in used.items()
        ]
        self.records.append(HostSample(t_s, sum(used.values()) + 0.2 * t_s, HOST_CPUS, 8_000_000_000))
        self.records.append(
            GeneratorHealth(t_s, 0, cpu_s, 0.001, self.connections.in_use, self.connections.in_use, len(self.cpu.queue))
        )

    def _used_s(self, cpu: Station) -> float:
        return cpu.sample(self.simulation.now).busy_s * (self.day.cpus or 1)

    def _denied_s(self, cpu: Station) -> float:
        return cpu.sample(self.simulation.now).busy_s * (1 - min(1.0, self.day.cpus or 1))

    def _write_calls(self) -> None:
        started: dict[tuple[str, str, int], list[_Call]] = {}
        ended: dict[tuple[str, str, int], list[_Call]] = {}
        for call in self.calls:
            started.setdefault((call.stream, call.entry, int(call.intended_s)), []).append(call)
            if call.outcome:
                ended.setdefault((call.stream, call.entry, int(call.done_s)), []).append(call)
        for (stream, entry, second), calls in sorted(started.items()):
            good = [call for call in calls if call.outcome == "ok"]
            reasons = [call.outcome or "unsent" for call in calls if call.outcome != "ok"]
            sent = [call for call in calls if call.sent_s >= 0]
            self.records.append(
                SampleBatch(
                    stream,
                    entry,
                    second,
                    worker=0,
                    ok=len(good),
                    failed={reason: reasons.count(reason) for reason in sorted(set(reasons))},
                    attempts=len(sent),
                    response_us=_microseconds([call.done_s - call.intended_s for call in good]),
                    service_us=_microseconds([call.done_s - call.sent_s for call in good]),
                    lag_us=_microseconds([call.dispatched_s - call.intended_s for call in sent]),
                )
            )
        for (stream, entry, second), calls in sorted(ended.items()):
            ok = sum(call.outcome == "ok" for call in calls)
            self.records.append(Completions(stream, entry, second, 0, ok, len(calls) - ok))

    def _write_events(self) -> None:
        for phase in self.plan.phases:
            self.records += [
                PhaseEvent(phase.start_s, phase.name, "started"),
                PhaseEvent(phase.end_s, phase.name, "ended"),
            ]
        self.records.append(RunEvent(self.day.baseline_s, "gate_open", "baseline was steady"))
        for fault in self.plan.faults:
            steps = (
                (-0.05, "intent"),
                (0.0, "applied"),
                (0.0, "lifting"),
                (0.02, "lifted"),
                (0.1, "proven_clean"),
            )
            for position, (after_s, step) in enumerate(steps):
                base_s = fault.start_s if position < 2 else fault.end_s
                self.records.append(FaultEvent(base_s + after_s, fault.id, step))  # type: ignore[arg-type]
            self.records += [self._receipt(fault, place) for place in (*fault.links, *fault.instances)]

    def _receipt(self, fault: PlannedFault, place: str) -> Receipt:
        works = self.day.fault_works
        if fault.kind == "latency":
            asked_ms = float(fault.parameters["delay_s"]) * 1e3
            during_ms = 0.8 + asked_ms if works else 0.8
            return Receipt(
                fault.id,
                place,
                requested=f"{asked_ms:.0f} ms added",
                delivered=f"{during_ms - 0.8:.1f} ms added",
                effective=works,
                clean_after=True,
                measure="time to first byte",
                unit="ms",
                before=0.8,
                during=during_ms,
                after=0.8,
                probes=12,
            )
        return Receipt(
            fault.id,
            place,
            requested="no answer",
            delivered="8 of 8 probes without an answer",
            effective=works,
            clean_after=True,
            measure="share without an answer",
            unit="ratio",
            before=0.0,
            during=1.0,
            after=0.0,
            probes=24,
        )


def _microseconds(seconds: list[float]) -> Histogram:
    return Histogram.of_us(np.round(np.asarray(seconds) * 1e6).astype(np.int64))


def _in_ticks(cpu_s: float) -> float:
    """Return CPU seconds as the kernel tells them: in whole ticks that are over."""
    return math.floor(cpu_s * TICKS_PER_S) / TICKS_PER_S


def _as_queue(sample: ResourceSample, name: str) -> ResourceSample:
    return replace(sample, resource=name, servers=0.0, busy_s=0.0, blocked_s={})
