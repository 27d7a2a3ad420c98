"""The settings of a simulated day, and the plan that a scenario of that day would resolve to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chaoskit.plan.flow import HttpRequest, PlannedFlow
from chaoskit.plan.model import (
    GeneratorPlan,
    Objective,
    Plan,
    PlannedFault,
    PlannedFigure,
    PlannedInstance,
    PlannedLink,
    PlannedMetrics,
    PlannedPhase,
    PlannedPort,
    PlannedResource,
    PlannedStream,
    Probe,
    ResourceKind,
    Scalar,
    Segment,
)


@dataclass(frozen=True, slots=True)
class Day:
    """The settings of one simulated run: times in seconds, rates per second; a gateway's figures are per region.

    The default is a small pool, a slow link for six seconds of the surge, then a lost region.
    """

    seed: int = 7
    regions: tuple[str, ...] = ("us-east-1", "eu-west-1")
    trading_rps: float = 5.0
    positions_rps: float = 2.0
    trading_multiple: float = 40.0
    positions_multiple: float = 200.0
    baseline_s: float = 10.0
    surge_s: float = 20.0
    recovery_s: float = 10.0
    ramp_s: float = 2.0
    timeout_s: float = 1.0
    poisson: bool = True
    rate_limit: int = 100_000
    workers: int = 400
    worker_queue: int = 256
    worker_time_s: float = 0.0005
    cpu_time_s: float = 0.0001
    answer_time_s: float = 0.0  # CPU time to read an answer of the database, while the link still counts as waited for
    cpus: float | None = None  # cores that each gateway may use; None is no limit
    db_pool: int = 2
    db_pool_grows: tuple[float, int] | None = None  # when, and by how many
    connections: int = 64
    query_time_s: float = 0.02
    service_time_s: float = 0.0002
    queue_limit: int = 500
    generator_connections: int = 2000
    generator_cost_s: float = 0.00004
    latency: tuple[float, float, float] | None = (14.0, 18.0, 0.04)  # start, end, added delay
    region_lost: tuple[float, float] | None = (22.0, 26.0)  # start, end; the first region; black-holed
    struck: tuple[str, str, float, float] | None = None  # kind, component or instance, start, end
    fault_works: bool = True
    expect: str | None = None

    @property
    def duration_s(self) -> float:
        """Seconds of load, from the run's zero."""
        return self.baseline_s + self.surge_s + self.recovery_s

    def share_of(self, capacity_per_s: float, *, trading: float = 0.0, positions: float = 0.0) -> float:
        """Return the surge share at which `trading` and `positions` visits per arrival add up to `capacity_per_s`."""
        at_baseline = trading * self.trading_rps + positions * self.positions_rps
        growth = trading * self.trading_rps * (self.trading_multiple - 1)
        growth += positions * self.positions_rps * (self.positions_multiple - 1)
        return (capacity_per_s - at_baseline) / growth


AMPLE = Day(db_pool=48, latency=None, region_lost=None)


def arrivals_of(day: Day, stream: str) -> NDArray[np.float64]:
    """Return the intended starts of `stream`, ascending: evenly spaced, or Poisson drawn with the day's seed."""
    segments = _segments(day, stream)
    edges_s = np.array([segments[0].start_s, *(segment.end_s for segment in segments)])
    areas = np.array([(s.end_s - s.start_s) * (s.start_rps + s.end_rps) / 2 for s in segments])
    expected = float(areas.sum())
    if day.poisson:
        random = np.random.default_rng([day.seed, len(stream)])
        marks = np.sort(random.uniform(0.0, expected, random.poisson(expected)))
    else:
        marks = np.arange(0.5, int(expected), 1.0)
    fine_s = np.arange(0.0, edges_s[-1] + 1e-9, 0.01)
    rates = np.interp(fine_s, *_corners(segments))
    area_until = np.concatenate(([0.0], np.cumsum((rates[1:] + rates[:-1]) / 2 * 0.01)))
    return np.interp(marks, area_until * expected / area_until[-1], fine_s)


def plan_of(day: Day, drawn: Mapping[str, NDArray[np.float64]]) -> Plan:
    """Return the plan of `day`; `drawn` holds the intended starts by stream."""
    surge_end_s = day.baseline_s + day.surge_s
    multiply = {"trading": day.trading_multiple, "positions": day.positions_multiple}
    ones = {"trading": 1.0, "positions": 1.0}
    return Plan(
        version=1,
        scenario="simulated-day",
        title="A simulated day at the exchange",
        seed=day.seed,
        target="exchange",
        driver="process",
        regions=day.regions,
        duration_s=day.duration_s,
        drain_s=2.0,
        baseline_phase="baseline",
        surge_phase="surge",
        phases=(
            PlannedPhase("baseline", 0.0, day.baseline_s, 0.0, ones),
            PlannedPhase("surge", day.baseline_s, surge_end_s, day.ramp_s, multiply),
            PlannedPhase("recovery", surge_end_s, day.duration_s, 0.0, ones),
        ),
        streams=tuple(_stream(day, name, drawn[name]) for name in ("trading", "positions")),
        faults=_faults(day),
        instances=_instances(day),
        links=_links(day),
        entries=tuple(f"client->gateway@{region}" for region in day.regions),
        resources=_resources(day),
        figures=(PlannedFigure("exchange_position_staleness_seconds", "gateway", "s", "How old a served position is"),),
        settings={"gateway.db_pool": str(day.db_pool), "gateway.workers": str(day.workers)},
        credentials={},
        objectives=(
            Objective("trading p99 < 250ms in baseline", "trading", "quantile", 0.99, "<", 0.25, "baseline"),
            Objective("positions errors < 1% in surge", "positions", "errors", None, "<", 0.01, "surge"),
            Objective("recovery < 10s", None, "recovery", None, "<", 10.0, None),
        ),
        abort_rules=(),
        generator=GeneratorPlan(1, day.generator_connections, 0.05),
        expected_bottleneck=day.expect,
    )


def _segments(day: Day, stream: str) -> tuple[Segment, ...]:
    rate, multiple = _load(day, stream)
    surge_s, ramped_s, calm_s = day.baseline_s, day.baseline_s + day.ramp_s, day.baseline_s + day.surge_s
    return (
        Segment(0.0, surge_s, rate, rate),
        Segment(surge_s, ramped_s, rate, rate * multiple),
        Segment(ramped_s, calm_s, rate * multiple, rate * multiple),
        Segment(calm_s, day.duration_s, rate, rate),
    )


def _corners(segments: tuple[Segment, ...]) -> tuple[list[float], list[float]]:
    times_s, rates = [], []
    for segment in segments:
        times_s += [segment.start_s + 1e-6, segment.end_s]
        rates += [segment.start_rps, segment.end_rps]
    return times_s, rates


def _load(day: Day, stream: str) -> tuple[float, float]:
    if stream == "trading":
        return day.trading_rps, day.trading_multiple
    return day.positions_rps, day.positions_multiple


def _stream(day: Day, name: str, drawn: NDArray[np.float64]) -> PlannedStream:
    rate, multiple = _load(day, name)
    return PlannedStream(
        name=name,
        flow=PlannedFlow("request", request=HttpRequest("GET", f"/{name}")),
        arrivals="poisson" if day.poisson else "constant",
        seed=day.seed,
        baseline_rps=rate,
        surge_multiple=multiple,
        segments=_segments(day, name),
        expected_per_second=tuple(np.bincount(drawn.astype(int), minlength=int(day.duration_s)).tolist()),
        routing="round_robin",
        timeout_s=day.timeout_s,
    )


def _faults(day: Day) -> tuple[PlannedFault, ...]:
    faults = []
    if day.latency is not None:
        start_s, end_s, delay_s = day.latency
        links = tuple(f"gateway@{region}->positions@{region}" for region in day.regions)
        title = f"latency {delay_s * 1e3:.0f}ms on gateway->positions"
        parameters: dict[str, Scalar] = {"delay_s": delay_s, "jitter_s": 0.0}
        phase = "surge" if start_s >= day.baseline_s else "baseline"
        faults.append(PlannedFault("latency-1", "latency", title, parameters, links, None, None, phase, start_s, end_s))
    if day.region_lost is not None:
        start_s, end_s = day.region_lost
        region = day.regions[0]
        links = tuple(link.name for link in _links(day) if region in link.regions)
        title = f"region {region} lost"
        parameters = {"mode": "blackhole"}
        number = len(faults) + 1
        faults.append(
            PlannedFault(
                f"region_down-{number}",
                "region_down",
                title,
                parameters,
                links,
                region,
                None,
                "surge",
                start_s,
                end_s,
            )
        )
    if day.struck is not None:
        kind, component, start_s, end_s = day.struck
        struck = tuple(one.name for one in _instances(day) if component in (one.name, one.component))
        place = (None, component, "surge", start_s, end_s, struck)
        faults.append(PlannedFault(f"{kind}-1", kind, f"{kind} on {component}", {}, (), *place))
    return tuple(faults)


def _instances(day: Day) -> tuple[PlannedInstance, ...]:
    places = [(part, region) for region in day.regions for part in ("gateway", "positions")] + [("engine", None)]
    return tuple(
        PlannedInstance(
            name=f"{part}@{region}" if region else part,
            component=part,
            region=region,
            command=(),
            environment={},
            directory="",
            ports=(PlannedPort("http", Probe("http")),),
            ready=None,
            metrics=PlannedMetrics("http", "/metrics"),
            settings={},
            links={},
        )
        for part, region in places
    )


def _links(day: Day) -> tuple[PlannedLink, ...]:
    links = []
    for region in day.regions:
        gateway, positions, where = f"gateway@{region}", f"positions@{region}", (region,)
        links += [
            PlannedLink(f"client->{gateway}", "client->gateway", "client", gateway, "http", where, Probe("http")),
            PlannedLink(f"{gateway}->engine", "gateway->engine", gateway, "engine", "orders", where, Probe("text")),
            PlannedLink(
                f"{gateway}->{positions}",
                "gateway->positions",
                gateway,
                positions,
                "sql",
                where,
                Probe("postgres"),
            ),
        ]
    return tuple(links)


def _resources(day: Day) -> tuple[PlannedResource, ...]:
    gateway: tuple[tuple[str, ResourceKind, int], ...] = (
        ("rate_limit", "limiter", day.rate_limit),
        ("workers", "pool", day.workers),
        ("db_pool", "pool", day.db_pool),
    )
    resources = []
    for region in day.regions:
        resources += [_resource(f"gateway@{region}", name, kind, str(size)) for name, kind, size in gateway]
        if day.cpus is not None:
            resources.append(_resource(f"gateway@{region}", "cpu", "cpu", str(day.cpus)))
        resources.append(_resource(f"positions@{region}", "connections", "pool", str(day.connections)))
    matching = f"{day.service_time_s * 1e6:.0f}us"
    resources.append(_resource("engine", "matching", "server", matching, "engine.service_time"))
    queue = _resource("engine", "queue", "queue", str(day.queue_limit), "engine.queue_limit")
    return (*resources, replace(queue, feeds="matching"))


def _resource(
    instance: str, name: str, kind: ResourceKind, setting: str, sized_by: str | None = None
) -> PlannedResource:
    component = instance.partition("@")[0]
    return PlannedResource(
        id=f"exchange/{instance}.{name}",
        kind_id=f"exchange/{component}.{name}",
        instance=instance,
        name=name,
        kind=kind,
        sized_by=sized_by or f"{component}.{name}",
        setting=setting,
    )
