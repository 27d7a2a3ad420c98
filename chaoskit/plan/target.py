"""The target of a plan: its instances, links, resources, settings."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from chaoskit.plan.finding import PlannedFinding
from chaoskit.plan.mapping import plan_mapping
from chaoskit.plan.model import (
    PlannedBuild,
    PlannedCompose,
    PlannedContainer,
    PlannedFigure,
    PlannedInstance,
    PlannedLink,
    PlannedMetrics,
    PlannedPort,
    PlannedReady,
    PlannedResource,
    Probe,
)
from chaoskit.plan.tls import PlannedTls
from chaoskit.scenario import Loaded
from chaoskit.scenario.manifest import Component, Manifest, Protocol
from chaoskit.scenario.model import Limits
from chaoskit.scenario.settings import setting_text
from chaoskit.scenario.topology import CLIENT, Edge, Instance, main_port
from chaoskit.scenario.upstreams import SYSTEM

FIRST_CONTAINER_PORT: Final = 8000
CPU_HELP: Final = "CPU of the component, which can use all that it is not denied."


def plan_instances(loaded: Loaded) -> tuple[PlannedInstance, ...]:
    """Return every process that the target consists of; none where it runs already."""
    if loaded.manifest is None:
        return ()
    return tuple(_plan_instance(loaded, loaded.manifest, instance) for instance in loaded.topology.instances)


def plan_compose(loaded: Loaded) -> PlannedCompose | None:
    """Return the compose files that the target consists of; None where it is no such target."""
    if loaded.manifest is None or loaded.manifest_folder is None or loaded.manifest.compose is None:
        return None
    folder, compose = loaded.manifest_folder, loaded.manifest.compose
    return PlannedCompose(tuple(str((folder / file).resolve()) for file in compose.files), tuple(compose.profiles))


def plan_links(loaded: Loaded) -> tuple[PlannedLink, ...]:
    """Return every link, those of the clients first."""
    return tuple(_plan_link(loaded, edge) for edge in loaded.topology.edges)


def plan_entries(loaded: Loaded) -> tuple[str, ...]:
    """Return the names of the links on which load enters."""
    return tuple(edge.name for edge in loaded.topology.edges if edge.source == CLIENT)


def plan_resources(loaded: Loaded) -> tuple[PlannedResource, ...]:
    """Return every resource of every instance, with the CPU of those whose manifest names `cores`."""
    if loaded.manifest is None:
        return ()
    texts = plan_settings(loaded)
    return tuple(
        resource
        for instance in loaded.topology.instances
        for resource in _resources(loaded, loaded.manifest, instance, texts)
    )


def plan_settings(loaded: Loaded) -> dict[str, str]:
    """Return every setting as text with its unit, by `component.setting`."""
    if loaded.manifest is None:
        return {}
    models = loaded.manifest.setting_models()
    return {name: setting_text(models[name], value) for name, value in loaded.settings.items()}


def plan_findings(loaded: Loaded) -> tuple[PlannedFinding, ...]:
    """Return the findings of the target's own trade."""
    declared = loaded.manifest.findings if loaded.manifest else {}
    return tuple(
        PlannedFinding(name, one.title, one.value, one.component, one.unit, one.help) for name, one in declared.items()
    )


def plan_figures(loaded: Loaded) -> tuple[PlannedFigure, ...]:
    """Return the figures of the target's own trade."""
    figures = loaded.manifest.figures if loaded.manifest else []
    return tuple(PlannedFigure(figure.metric, figure.component, figure.unit, figure.title) for figure in figures)


def _plan_instance(loaded: Loaded, manifest: Manifest, instance: Instance) -> PlannedInstance:
    component = manifest.components[instance.component]
    links = [edge for edge in loaded.topology.edges if edge.source == instance.name]
    return PlannedInstance(
        name=instance.name,
        component=instance.component,
        region=instance.region,
        command=tuple(component.command or ()),
        environment=dict(component.environment),
        directory=str((loaded.manifest_folder / component.directory).resolve()) if loaded.manifest_folder else ".",
        ports=tuple(PlannedPort(name, _probe(component, name)) for name in component.ports),
        ready=_ready(component),
        metrics=_metrics(manifest, instance),
        settings={name: loaded.settings[f"{instance.component}.{name}"] for name in component.settings},
        links={
            destination: tuple(
                edge.name
                for edge in links
                if edge.destination.partition("@")[0] == destination
                and edge.port == main_port(manifest.components[destination])
            )
            for destination in component.links
        },
        container=_container(loaded, instance.component, component),
        service=(component.service or instance.component) if manifest.compose else None,
    )


def _container(loaded: Loaded, name: str, component: Component) -> PlannedContainer | None:
    """Return how the component runs in a container; the scenario's limits go before the manifest's."""
    container = component.container
    limits = loaded.scenario.target.limits.get(name, Limits())
    if loaded.manifest is not None and loaded.manifest.compose is not None:
        numbers = {name: port.number or 0 for name, port in component.ports.items()}
        return PlannedContainer(memory_bytes=limits.memory, cpus=limits.cpus, ports=numbers)
    if container is None or loaded.manifest_folder is None:
        return None
    command = component.command if container.command is None else container.command
    planned = None
    if (build := container.build) is not None:
        context = (loaded.manifest_folder / build.context).resolve()
        planned = PlannedBuild(str(context), build.dockerfile, dict(build.args))
    return PlannedContainer(
        image=container.image,
        build=planned,
        command=tuple(command or ()),
        user=container.user,
        memory_bytes=limits.memory or container.memory,
        cpus=limits.cpus or container.cpus,
        pids=container.pids,
        writable=tuple(container.writable),
        ports=_container_ports(component, container.ports),
    )


def _container_ports(component: Component, fixed: Mapping[str, int]) -> dict[str, int]:
    """Return the ports as the container has them: as the manifest fixes them, else in a row of unprivileged ones."""
    free = (port for port in itertools.count(FIRST_CONTAINER_PORT) if port not in fixed.values())
    return {name: fixed.get(name) or next(free) for name in component.ports}


def _plan_link(loaded: Loaded, edge: Edge) -> PlannedLink:
    probe = Probe("http")
    if edge.source == SYSTEM:
        probe = _probe_by(loaded.scenario.target.upstreams[edge.destination].protocol)
    if loaded.manifest is not None:
        probe = _probe(loaded.manifest.components[edge.destination.partition("@")[0]], edge.port)
    return PlannedLink(
        name=edge.name,
        kind=edge.kind,
        source=edge.source,
        destination=edge.destination,
        port=edge.port,
        regions=edge.regions,
        probe=probe,
        upstream=edge.upstream,
        listen=edge.listen,
        host=urlsplit(edge.url).netloc or None,
        tls=_tls(loaded, edge),
    )


def _tls(loaded: Loaded, edge: Edge) -> PlannedTls | None:
    url, tls = urlsplit(edge.url), loaded.scenario.target.tls
    if url.scheme != "https":
        return None
    authorities = None if tls.authorities is None else (loaded.folder / tls.authorities).read_text(encoding="ascii")
    return PlannedTls(url.hostname or "", authorities, tls.verify)


def _probe(component: Component, port: str) -> Probe:
    probe, ready = _probe_by(component.ports[port].protocol), component.ready
    if probe.protocol == "http" and probe.path == "/" and ready and ready.port == port and ready.http:
        return replace(probe, path=ready.http)
    return probe


def _probe_by(protocol: Protocol) -> Probe:
    if protocol.send is not None and protocol.expect is not None:
        return Probe("text", send=protocol.send, expect=protocol.expect)
    return Probe(protocol.name or "tcp", path=protocol.path)


def _ready(component: Component) -> PlannedReady | None:
    ready = component.ready
    return PlannedReady(ready.port, ready.http, ready.timeout) if ready else None


def _metrics(manifest: Manifest, instance: Instance) -> PlannedMetrics | None:
    metrics = manifest.components[instance.component].metrics
    if metrics is None:
        return None
    server = metrics.component
    if server is not None and manifest.components[server].per == "region":
        server = f"{server}@{instance.region}"
    return PlannedMetrics(metrics.port, metrics.path, server)


def _resources(
    loaded: Loaded, manifest: Manifest, instance: Instance, texts: Mapping[str, str]
) -> list[PlannedResource]:
    component = manifest.components[instance.component]
    here, kind = f"{manifest.name}/{instance.name}", f"{manifest.name}/{instance.component}"
    resources = []
    for name, resource in component.resources.items():
        sized_by = resource.sized_by
        if sized_by is not None and "." not in sized_by:
            sized_by = f"{instance.component}.{sized_by}"
        metrics = resource.metrics
        mapping = plan_mapping(metrics, instance.component, loaded.settings) if metrics else None
        resources.append(
            PlannedResource(
                id=f"{here}.{name}",
                kind_id=f"{kind}.{name}",
                instance=instance.name,
                name=name,
                kind=resource.kind,
                sized_by=sized_by,
                setting=texts[sized_by] if sized_by else None,
                feeds=resource.feeds,
                help=resource.help,
                mapping=mapping,
                waits_for=tuple(resource.waits_for),
            )
        )
    if f"{kind}.cpu" in loaded.topology.resources and "cpu" not in component.resources:
        cores = component.cores
        message = f"CPU of the process, which can use {cores} core{'s' if cores > 1 else ''}." if cores else CPU_HELP
        known = str(cores) if cores else None
        cpu = PlannedResource(f"{here}.cpu", f"{kind}.cpu", instance.name, "cpu", "cpu", None, known, None, message)
        resources.append(cpu)
    return resources
