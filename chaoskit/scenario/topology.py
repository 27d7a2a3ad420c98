"""Where a target's components and links lie once its regions are known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from chaoskit.scenario.manifest import Component, Manifest
from chaoskit.scenario.upstreams import SYSTEM, Upstream

CLIENT = "client"
NOT_PLACED: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a component: `gateway@us-east-1`, or `engine` where it exists once.

    `home` is the region in which it stands: its own, or where the scenario has placed one that exists once.
    """

    name: str
    component: str
    region: str | None
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A TCP link between two instances, or from the clients; `regions` are those of its two ends.

    `upstream` is HOST:PORT where the destination runs already, `listen` where its proxy has to listen, `url` what it is
    called by those who load it.
    """

    name: str
    kind: str
    source: str
    destination: str
    port: str
    regions: tuple[str, ...]
    upstream: str | None = None
    listen: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    """All instances, links and resources of one target in its regions."""

    target: str
    regions: tuple[str, ...]
    instances: tuple[Instance, ...]
    edges: tuple[Edge, ...]
    resources: tuple[str, ...]
    """Kind ids, without the region: `exchange/gateway.db_pool`."""

    def links(self, name: str) -> tuple[str, ...]:
        """Return the links that `name` means: one full name, or all of one kind; empty where it means none."""
        return tuple(edge.name for edge in self.edges if name in (edge.name, edge.kind))

    def instances_of(self, name: str) -> tuple[str, ...]:
        """Return the instances that `name` means: one by its full name, or all of a component; empty for none."""
        return tuple(one.name for one in self.instances if name in (one.name, one.component))

    def links_between(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Return the links whose two ends are in different ones of `regions`."""
        return tuple(edge.name for edge in self.edges if len(set(edge.regions) & set(regions)) > 1)

    def links_of_region(self, region: str) -> tuple[str, ...]:
        """Return the links with at least one end in `region`."""
        return tuple(edge.name for edge in self.edges if region in edge.regions)

    @property
    def component_names(self) -> tuple[str, ...]:
        """Every name that `instances_of` knows: the components first, then the instances."""
        names = [*(one.component for one in self.instances), *(one.name for one in self.instances)]
        return tuple(dict.fromkeys(names))

    @property
    def link_names(self) -> tuple[str, ...]:
        """Every name a link can be called by: the kinds first, then the full names."""
        return tuple(dict.fromkeys([*(edge.kind for edge in self.edges), *(edge.name for edge in self.edges)]))


def main_port(component: Component) -> str:
    """Return the port that links lead to: the first that the component declares."""
    return next(iter(component.ports))


def of_manifest(
    manifest: Manifest,
    regions: Sequence[str],
    limited: Collection[str] = (),
    placement: Mapping[str, str] = NOT_PLACED,
) -> Topology:
    """Lay the manifest out over `regions`, what exists once by `placement`, without links to what does not exist.

    `limited` are components whose CPU the scenario limits, which makes it a resource.
    """
    instances = {
        name: _instances(name, component, regions, placement.get(name))
        for name, component in manifest.components.items()
    }
    return Topology(
        target=manifest.name,
        regions=tuple(regions),
        instances=tuple(instance for group in instances.values() for instance in group),
        edges=tuple(_edges(manifest, instances)),
        resources=tuple(
            f"{manifest.name}/{name}.{resource}"
            for name, component in manifest.components.items()
            for resource in _resources(component, limited=name in limited)
        ),
    )


def of_urls(urls: Mapping[str, str], upstreams: Mapping[str, Upstream], regions: Sequence[str]) -> Topology:
    """Lay out a system that runs already: one link from the clients to each URL, one from it to each upstream."""
    edges = [replace(_plain_edge(CLIENT, name, "http", _host_and_port(url)), url=url) for name, url in urls.items()]
    edges += [_plain_edge(SYSTEM, name, name, one.upstream, one.listen) for name, one in upstreams.items()]
    return Topology("external", tuple(regions), (), tuple(edges), ())


def _plain_edge(source: str, name: str, port: str, upstream: str, listen: str | None = None) -> Edge:
    return Edge(f"{source}->{name}", f"{source}->{name}", source, name, port, (), upstream, listen)


def _resources(component: Component, *, limited: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*component.resources, *(("cpu",) if limited or component.has_own_cpu else ()))))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _instances(name: str, component: Component, regions: Sequence[str], home: str | None) -> list[Instance]:
    if component.per == "target":
        return [Instance(name, name, None, home)]
    return [Instance(f"{name}@{region}", name, region, region) for region in regions]


def _edges(manifest: Manifest, instances: Mapping[str, Sequence[Instance]]) -> list[Edge]:
    edges = []
    for name, component in manifest.components.items():
        if component.entry:
            edges += [_edge(manifest, None, end) for end in instances[name]]
    for name, component in manifest.components.items():
        for destination in component.links:
            edges += [
                _edge(manifest, start, end, port)
                for start in instances[name]
                for end in instances.get(destination, ())
                if start.region is None or end.region is None or start.region == end.region
                for port in _linked_ports(manifest, destination)
            ]
    return edges


def _linked_ports(manifest: Manifest, destination: str) -> Sequence[str]:
    """Return the ports that a link leads to.

    Where an address is handed over, it is the main one. Services of a compose file find each other by name, whatever
    the port, so a link to one of them is a link to each of its ports.
    """
    component = manifest.components[destination]
    return tuple(component.ports) if manifest.compose else (main_port(component),)


def _edge(manifest: Manifest, start: Instance | None, end: Instance, port: str | None = None) -> Edge:
    source, kind = (start.name, start.component) if start else (CLIENT, CLIENT)
    main = main_port(manifest.components[end.component])
    beside = f":{port}" if port not in (None, main) else ""
    return Edge(
        name=f"{source}->{end.name}{beside}",
        kind=f"{kind}->{end.component}",
        source=source,
        destination=end.name,
        port=port or main,
        regions=tuple(dict.fromkeys(region for region in (start and start.home, end.home) if region)),
    )
