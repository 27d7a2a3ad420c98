"""From a loaded scenario to the plan: pure, seeded, every time absolute."""

from collections import Counter
from typing import Final

from chaoskit.plan.load import baseline_of, plan_phases, plan_streams, surge_of
from chaoskit.plan.model import AbortRule, DriverName, GeneratorPlan, Objective, Plan, PlannedFault, PlannedPhase
from chaoskit.plan.target import (
    plan_compose,
    plan_entries,
    plan_figures,
    plan_findings,
    plan_instances,
    plan_links,
    plan_resources,
    plan_settings,
)
from chaoskit.scenario import Loaded
from chaoskit.scenario.component_faults import ComponentFault
from chaoskit.scenario.faults import FaultEntry, LinkFault, Partition, RegionDown
from chaoskit.scenario.model import Generator
from chaoskit.scenario.objectives import Statement

VERSION: Final = 1
_LONGEST_DRAIN_S: Final = 30.0


def build(loaded: Loaded) -> Plan:
    """Return the plan of a loaded scenario; the same files and seed give an equal plan."""
    scenario = loaded.scenario
    phases = plan_phases(loaded)
    baseline, surge = baseline_of(phases), surge_of(phases)
    return Plan(
        version=VERSION,
        scenario=scenario.name,
        title=scenario.title or scenario.name,
        seed=loaded.seed,
        target=loaded.topology.target,
        driver=_driver(loaded),
        regions=loaded.topology.regions,
        duration_s=phases[-1].end_s,
        drain_s=min(max(stream.timeout for stream in scenario.load.values()), _LONGEST_DRAIN_S),
        baseline_phase=baseline.name if baseline else None,
        surge_phase=surge.name if surge else None,
        phases=phases,
        streams=plan_streams(loaded, phases),
        faults=_faults(loaded, phases),
        instances=plan_instances(loaded),
        links=plan_links(loaded),
        entries=plan_entries(loaded),
        resources=plan_resources(loaded),
        figures=plan_figures(loaded),
        findings=plan_findings(loaded),
        settings=plan_settings(loaded),
        credentials=dict(loaded.manifest.credentials) if loaded.manifest else {},
        objectives=tuple(_objective(statement) for statement in scenario.objectives),
        abort_rules=tuple(
            AbortRule(_objective(statement.negated()), statement.for_s or 0.0) for statement in scenario.abort_when
        ),
        generator=_generator(scenario.generator),
        expected_bottleneck=scenario.expect.bottleneck if scenario.expect else None,
        toxiproxy_url=scenario.toxiproxy,
        steady_tolerance_ratio=scenario.steady_tolerance,
        incident=scenario.incident.model_dump(exclude_defaults=True) if scenario.incident else {},
        compose=plan_compose(loaded),
        limited=tuple(scenario.target.limits),
        variant=loaded.variant,
    )


def _generator(generator: Generator) -> GeneratorPlan:
    return GeneratorPlan(
        workers=generator.workers,
        connections=generator.connections,
        max_lag_s=generator.max_lag,
        remote_workers=generator.remote_workers,
        listen=generator.listen,
    )


def _driver(loaded: Loaded) -> DriverName:
    if loaded.manifest is None:
        return "external"
    return "compose" if loaded.manifest.compose else loaded.scenario.target.driver


def _faults(loaded: Loaded, phases: tuple[PlannedPhase, ...]) -> tuple[PlannedFault, ...]:
    entries = loaded.scenario.faults
    total, seen = Counter(entry.fault.kind for entry in entries), Counter[str]()
    faults = []
    for entry in entries:
        kind = entry.fault.kind
        seen[kind] += 1
        name = kind if total[kind] == 1 else f"{kind}-{seen[kind]}"
        phase = next(phase for phase in phases if phase.name == entry.during)
        faults.append(_fault(loaded, name, entry, phase))
    return tuple(faults)


def _fault(loaded: Loaded, name: str, entry: FaultEntry, phase: PlannedPhase) -> PlannedFault:
    fault, topology = entry.fault, loaded.topology
    start_s = round(phase.start_s + entry.at, 6)
    links: tuple[str, ...] = ()
    if isinstance(fault, LinkFault):
        links = topology.links(fault.link)
    elif isinstance(fault, RegionDown):
        links = topology.links_of_region(fault.region)
    elif isinstance(fault, Partition):
        links = topology.links_between(fault.regions)
    component = fault.component if isinstance(fault, ComponentFault) else None
    return PlannedFault(
        id=name,
        kind=fault.kind,
        title=fault.title(),
        parameters=fault.parameters(),
        links=links,
        region=fault.region if isinstance(fault, RegionDown) else None,
        component=component,
        phase=phase.name,
        start_s=start_s,
        end_s=phase.end_s if entry.lasts_s is None else min(round(start_s + entry.lasts_s, 6), phase.end_s),
        instances=topology.instances_of(component) if component else (),
    )


def _objective(statement: Statement) -> Objective:
    return Objective(
        text=statement.text,
        stream=statement.stream,
        metric=statement.metric,
        quantile=statement.quantile,
        comparison=statement.comparison,
        bound=statement.bound,
        phase=statement.phase,
        finding=statement.finding,
    )
