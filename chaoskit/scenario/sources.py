"""Checks of where a resource's figures come from: metrics that somebody serves, quantities that suffice, real names."""

from collections.abc import Iterator, Mapping
from typing import Final

from chaoskit.scenario.document import Finding, Location
from chaoskit.scenario.manifest import Component, Manifest, Resource, Setting
from chaoskit.scenario.problems import did_you_mean

_NUMERIC: Final = frozenset({"integer", "number", "duration", "rate", "size", "ratio"})


def check_sources(manifest: Manifest, name: str, component: Component) -> Iterator[Finding]:
    """Yield what is wrong with the metrics of a component and with the mapping of its resources."""
    here: Location = ("components", name)
    yield from _check_metrics(manifest, here, component)
    for resource_name, resource in component.resources.items():
        there = (*here, "resources", resource_name)
        if resource.metrics is not None:
            yield from _check_quantities(manifest, component, there, resource)
        waits = [((*there, "waits_for", index), on) for index, on in enumerate(resource.waits_for)]
        if resource.metrics is not None:
            waits += [((*there, "metrics", "blocked", on), on) for on in resource.metrics.blocked]
            if resource.waits_for and resource.metrics.blocked:
                message = "`blocked` measures what `waits_for` can only say; keep one of them"
                yield Finding((*there, "waits_for"), message, key=True)
        cpu = ["cpu"] if component.cores else []
        known = [*(f"{name}->{link}" for link in component.links), *component.resources, *cpu]
        for location, on in waits:
            if on not in known or on == resource_name:
                others = [other for other in known if other != resource_name]
                message = f"{on!r} is neither a link of this component nor another resource{did_you_mean(on, others)}"
                yield Finding(location, message, key="blocked" in location)


def _check_metrics(manifest: Manifest, here: Location, component: Component) -> Iterator[Finding]:
    metrics = component.metrics
    if metrics is None:
        return
    server = component if metrics.component is None else manifest.components.get(metrics.component)
    if server is None:
        known = did_you_mean(str(metrics.component), manifest.components)
        yield Finding((*here, "metrics", "component"), f"the component {metrics.component!r} is not declared{known}")
    elif metrics.port not in server.ports:
        message = f"the port {metrics.port!r} is not declared{did_you_mean(metrics.port, server.ports)}"
        yield Finding((*here, "metrics", "port"), message)
    elif component.per == "target" and server.per == "region":
        message = f"{metrics.component} exists once per region and this component once, so which one is meant is open"
        yield Finding((*here, "metrics", "component"), f"{message}; give both the same `per`")


def _check_quantities(
    manifest: Manifest, component: Component, here: Location, resource: Resource
) -> Iterator[Finding]:
    mapped = resource.metrics
    assert mapped is not None
    if resource.kind == "queue":
        lacking = [] if mapped.queue_length else ["queue_length"]
    elif resource.kind == "limiter" and mapped.rejections:
        lacking = []
    else:
        lacking = [name for name in ("servers", "busy") if getattr(mapped, name) is None]
    if lacking:
        missing = " and ".join(f"`{name}`" for name in lacking)
        message = f"a {resource.kind} is not known to be full without {missing}; add {'them' if lacking[1:] else 'it'}"
        yield Finding((*here, "metrics"), message, key=True)
    for name, quantity in mapped.quantities().items():
        if quantity.setting is not None:
            owner_name, _, setting_name = quantity.setting.rpartition(".")
            owner = manifest.components.get(owner_name) if owner_name else component
            known: Mapping[str, Setting] = owner.settings if owner else {}
            location = (*here, "metrics", *name.split(".", 1), "setting")
            if setting_name not in known:
                names = known if owner else manifest.components
                message = f"the setting {quantity.setting!r} is not declared{did_you_mean(setting_name, names)}"
                yield Finding(location, message)
            elif known[setting_name].type not in _NUMERIC:
                message = f"the setting {quantity.setting!r} is a {known[setting_name].type} and counts nothing"
                yield Finding(location, f"{message}; name one that is a number, or metrics")
