"""A made-up run for tests of the report: 90 s, three streams, two regions, two faults, one small pool.

The numbers follow from simple formulas and one seeded generator, so that every rendering of them is the same.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.model import (
    GeneratorPlan,
    Objective,
    Plan,
    PlannedFault,
    PlannedFigure,
    PlannedPhase,
    PlannedResource,
    PlannedStream,
    ResourceKind,
)
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

END_S: Final = 90
REGIONS: Final = ("us-east-1", "eu-west-1")
STREAMS: Final = {"trading": (10.0, 100.0), "positions": (2.0, 1000.0), "quotes": (20.0, 10.0)}
FAULTS: Final = (("latency-1", 35.0, 45.0), ("region_down-1", 55.0, 65.0))
RESOURCES: Final[tuple[tuple[str, str, ResourceKind, float, float, float], ...]] = (
    ("gateway", "db_pool", "pool", 8.0, 0.006, 1.0),
    ("gateway", "workers", "server", 64.0, 0.006, 1.0),
    ("gateway", "rate_limit", "limiter", 4000.0, 1.0, 0.6),
    ("positions", "connections", "pool", 40.0, 0.003, 0.8),
    ("engine", "matching", "server", 1.0, 0.0004, 0.5),
    ("engine", "cpu", "cpu", 2.0, 0.0002, 0.7),
)


def plan() -> Plan:
    """Return the plan of the run."""
    multiply = {name: multiple for name, (_, multiple) in STREAMS.items()}
    ones = dict.fromkeys(STREAMS, 1.0)
    return Plan(
        version=1,
        scenario="liquidation-cascade",
        title="Trading ×100, position queries ×1000",
        seed=20251010,
        target="exchange",
        driver="process",
        regions=REGIONS,
        duration_s=float(END_S),
        drain_s=2.0,
        baseline_phase="baseline",
        surge_phase="surge",
        phases=(
            PlannedPhase("baseline", 0.0, 20.0, 0.0, ones),
            PlannedPhase("surge", 20.0, 70.0, 2.0, multiply),
            PlannedPhase("recovery", 70.0, 90.0, 0.0, ones),
        ),
        streams=tuple(_stream(name, baseline, multiple) for name, (baseline, multiple) in STREAMS.items()),
        faults=(
            _fault("latency-1", "latency", "latency on gateway->positions: 40ms ± 10ms", 35.0, 45.0),
            _fault("region_down-1", "region_down", "region us-east-1 down: blackhole", 55.0, 65.0),
        ),
        instances=(),
        links=(),
        entries=REGIONS,
        resources=tuple(_resource(*resource[:3]) for resource in RESOURCES),
        figures=(PlannedFigure("positions_staleness_seconds", "gateway", "s", "Age of the positions served"),),
        settings={"gateway.db_pool": "8", "engine.service_time": "400us"},
        credentials={},
        objectives=(
            Objective("trading p99 < 250ms in baseline", "trading", "quantile", 0.99, "<", 0.25, "baseline"),
            Objective("trading errors < 1% in surge", "trading", "errors", None, "<", 0.01, "surge"),
            Objective("positions rate > 500/s in surge", "positions", "rate", None, ">", 500.0, "surge"),
            Objective("recovery < 10s", None, "recovery", None, "<", 10.0, None),
        ),
        abort_rules=(),
        generator=GeneratorPlan(),
        expected_bottleneck="exchange/gateway.db_pool",
        incident={
            "article": "10–11 October 2025: a cascade of liquidations drove trading to a hundred times its usual rate.",
            "record": "The cascade itself began later.",
        },
    )


def _stream(name: str, baseline: float, multiple: float) -> PlannedStream:
    return PlannedStream(name, PlannedFlow("python"), "constant", 1, baseline, multiple, (), (), "round_robin", 5.0)


def _fault(fault_id: str, kind: str, title: str, start_s: float, end_s: float) -> PlannedFault:
    return PlannedFault(fault_id, kind, title, {}, (), None, None, "surge", start_s, end_s)


def _resource(component: str, name: str, kind: ResourceKind) -> PlannedResource:
    kind_id = f"exchange/{component}.{name}"
    return PlannedResource(f"exchange/{component}@us-east-1.{name}", kind_id, component, name, kind)


def rows_of(columns: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    """Return a table of columns as its rows."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def multiple_at(stream: str, second: float) -> float:
    """Return the stream's multiple of its baseline rate in `second`."""
    if not 20 <= second < 70:
        return 1.0
    return 1.0 + (STREAMS[stream][1] - 1.0) * min(1.0, (second - 20 + 0.5) / 2)


def history() -> History:
    """Return what the run recorded."""
    random = np.random.default_rng(7)
    records: list[Record] = [RunEvent(0.0, "gate", "baseline is steady within 25%")]
    for second in range(END_S):
        records += _batches(random, second)
    records += _resources()
    for t_s in range(END_S + 1):
        busy = 0.3 * t_s + max(0, min(t_s, 70) - 20) * 1.1
        records.append(HostSample(t_s, busy, 4, 6_000_000_000))
        records += [UsageSample(t_s, f"gateway@{region}", 0.1 * busy, 80_000_000, 40) for region in REGIONS]
        records.append(UsageSample(t_s, "generator@0", 0.4 * busy, 90_000_000, 60))
        records.append(GeneratorHealth(t_s, 0, 0.4 * busy, 0.002, 10, 40, 0))
        age_s = 0.2 + max(0.0, min(t_s, 60) - 35) * 0.3
        records += [FigureSample(t_s, f"gateway@{region}", "positions_staleness_seconds", age_s) for region in REGIONS]
    return History.of([*records, *_events()])


def _batches(random: np.random.Generator, second: int) -> list[Record]:
    found: list[Record] = []
    slow = 35 <= second < 45
    for stream, (baseline, _) in STREAMS.items():
        load = multiple_at(stream, second)
        for place, entry in enumerate(REGIONS):
            offered = round(baseline * load / 2)
            lost = place == 0 and 55 <= second < 65
            share = 0.9 if lost else min(0.5, max(0.0, (load - 35) / load)) if stream != "quotes" else 0.0
            failed = round(offered * share)
            ok = offered - failed
            middle = 3_000 + (120_000 if load > 30 else 0) + (40_000 if slow else 0)
            service = (middle * random.lognormal(0.0, 0.45, ok)).astype(np.int64)
            waits = (service * (1.6 if load > 30 else 1.02)).astype(np.int64)
            reasons = {"timeout": failed} if lost else {"status 503": failed - failed // 4, "timeout": failed // 4}
            lag = Histogram.of_us(random.integers(50, 1_800, offered))
            clocks = Histogram.of_us(waits), Histogram.of_us(service), lag
            kept = {reason: count for reason, count in reasons.items() if count}
            found.append(SampleBatch(stream, entry, second, 0, ok, kept, offered, *clocks))
            found.append(Completions(stream, entry, second, 0, ok, failed))
    return found


def _resources() -> list[Record]:
    found: list[Record] = []
    for component, name, _, servers, demand_s, blocked in RESOURCES:
        for instance in [f"{component}@{region}" for region in REGIONS] if component != "engine" else [component]:
            busy = waited = done = refused = 0.0
            for step in range(END_S * 2 + 1):
                t_s = step / 2
                rate = sum(base * multiple_at(stream, t_s) for stream, (base, _) in STREAMS.items()) / 2
                wanted = min(rate * demand_s, servers) * 0.5
                busy, waited, done = busy + wanted, waited + wanted * (1 - blocked), done + wanted / demand_s
                refused += max(0.0, rate * demand_s - servers) / demand_s * 0.5
                queue = 0.0 if rate * demand_s < servers else min(256.0, (t_s - 20) * 20)
                found.append(
                    ResourceSample(
                        t_s + 0.1, f"exchange/{instance}.{name}", servers, busy, {"gateway->positions": waited},
                        done, done, {"full": refused}, 0.0, max(queue, 0.0), 256.0,
                    )
                )  # fmt: skip
    return found


def _events() -> list[Record]:
    found: list[Record] = []
    for name, start_s, end_s in (("baseline", 0.0, 20.0), ("surge", 20.0, 70.0), ("recovery", 70.0, 90.0)):
        found += [PhaseEvent(start_s, name, "started"), PhaseEvent(end_s, name, "ended")]
    for fault, start_s, end_s in FAULTS:
        found += [FaultEvent(start_s, fault, "intent"), FaultEvent(start_s + 0.02, fault, "applied")]
        found += [FaultEvent(end_s, fault, "lifted"), FaultEvent(end_s + 0.3, fault, "proven_clean")]
    found.append(
        Receipt("latency-1", "gateway@us-east-1->positions@us-east-1", "40ms ± 10ms", "41.2ms", True, True, "added delay", "ms", 0.3, 41.5, 0.3, 40)
    )  # fmt: skip
    return found
