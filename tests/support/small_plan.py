"""A hand-built plan: one component `store` per region, one `front` that links to it, no load and no faults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from chaoskit.plan.model import (
    GeneratorPlan,
    Plan,
    PlannedFigure,
    PlannedInstance,
    PlannedLink,
    PlannedMetrics,
    PlannedPort,
    PlannedReady,
    PlannedResource,
    Probe,
)

COMPONENT = Path(__file__).with_name("component.py")
HTTP = Probe("http", "/ready")
REGIONS = ("east", "west")


def instance(
    name: str, *arguments: str, links: Mapping[str, tuple[str, ...]] | None = None, timeout_s: float = 10.0
) -> PlannedInstance:
    """Return an instance that runs the test component with `arguments`."""
    component, _, region = name.partition("@")
    return PlannedInstance(
        name=name,
        component=component,
        region=region or None,
        command=("{python}", str(COMPONENT), "--port", "{ports.http}", *arguments),
        environment={},
        directory=str(COMPONENT.parent),
        ports=(PlannedPort("http", HTTP),),
        ready=PlannedReady("http", "/ready", timeout_s),
        metrics=PlannedMetrics("http", "/metrics"),
        settings={"size": 4.0, "slow": True},
        links=links or {},
    )


def link(source: str, destination: str, upstream: str | None = None) -> PlannedLink:
    """Return the link from `source` to `destination`'s port `http`."""
    ends = [end for end in (source, destination) if "@" in end]
    return PlannedLink(
        name=f"{source}->{destination}",
        kind=f"{source.partition('@')[0]}->{destination.partition('@')[0]}",
        source=source,
        destination=destination,
        port="http",
        regions=tuple(end.partition("@")[2] for end in ends),
        probe=HTTP,
        upstream=upstream,
    )


def plan_of(instances: Sequence[PlannedInstance], links: Sequence[PlannedLink] = ()) -> Plan:
    """Return a plan with nothing but these instances and links."""
    return Plan(
        version=1,
        scenario="small",
        title="A small plan",
        seed=7,
        target="toy",
        driver="process",
        regions=REGIONS,
        duration_s=1.0,
        drain_s=0.0,
        baseline_phase=None,
        surge_phase=None,
        phases=(),
        streams=(),
        faults=(),
        instances=tuple(instances),
        links=tuple(links),
        entries=(),
        resources=tuple(
            PlannedResource(f"toy/{one.name}.pool", f"toy/{one.component}.pool", one.name, "pool", "pool")
            for one in instances
        ),
        figures=(
            PlannedFigure("staleness_seconds", "store", "s", "Staleness"),
            PlannedFigure("depth", "store", "1", "Depth"),
        ),
        settings={},
        credentials={},
        objectives=(),
        abort_rules=(),
        generator=GeneratorPlan(),
    )


def small_plan() -> Plan:
    """Return one `front` that links to a `store` in each of two regions."""
    links = [link("front", f"store@{region}") for region in REGIONS]
    front = instance("front", "--stores", "{links.store}", links={"store": tuple(one.name for one in links)})
    front = replace(front, environment={"SIZE": "{settings.size}", "SLOW": "{settings.slow}", "WORK": "{workdir}"})
    return plan_of([front, *(instance(f"store@{region}") for region in REGIONS)], links)
