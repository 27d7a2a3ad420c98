"""What a manifest must fulfil beyond the shape of its keys: every name it uses is one that it declares."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from chaoskit.scenario.code import missing_function, module_file
from chaoskit.scenario.composition import check_composition
from chaoskit.scenario.document import Finding, Location
from chaoskit.scenario.files import is_file, is_folder
from chaoskit.scenario.manifest import Component, Manifest, Setting
from chaoskit.scenario.presence import check_presence
from chaoskit.scenario.problems import did_you_mean
from chaoskit.scenario.settings import parse_setting, units
from chaoskit.scenario.sources import check_sources
from chaoskit.scenario.topology import CLIENT

_FIELD: Final = re.compile(r"\{([a-z_]+(?:\.[\w-]+)?)\}")  # other braces (JSON, shell) are text
_PLAIN_FIELDS: Final = ("host", "python", "region", "seed", "workdir")


def check_manifest(manifest: Manifest, folder: Path) -> Iterator[Finding]:
    """Yield everything in `manifest`, which lies in `folder`, that refers to nothing or contradicts itself."""
    if not any(component.entry for component in manifest.components.values()):
        yield Finding(("components",), "no component has `entry: true`, so load has nowhere to enter; add it", key=True)
    if CLIENT in manifest.components:
        message = f"`{CLIENT}` stands for those who send the load and cannot name a component; choose another name"
        yield Finding(("components", CLIENT), message, key=True)
    if len(set(manifest.regions)) < len(manifest.regions):
        yield Finding(("regions",), "a region stands here twice; keep one of them")
    for name, component in manifest.components.items():
        yield from _check_component(manifest, name, component, folder)
    yield from _check_called(manifest)
    yield from check_presence(manifest)
    yield from check_composition(manifest, folder)
    if manifest.compose is None:  # a compose file may have such a circle: its services wait for nobody
        yield from _check_cycles(manifest)
    for index, figure in enumerate(manifest.figures):
        if figure.component not in manifest.components:
            message = f"the component {figure.component!r} is not declared"
            yield Finding(
                ("figures", index, "component"), message + did_you_mean(figure.component, manifest.components)
            )
    yield from _check_findings(manifest)
    for name, flow in manifest.flows.items():
        module, _, function = flow.python.partition(":")
        if (missing := missing_function(module_file(folder, module), function)) is not None:
            yield Finding(("flows", name, "python"), missing)


def _check_findings(manifest: Manifest) -> Iterator[Finding]:
    for name, finding in manifest.findings.items():
        if finding.component is not None and finding.component not in manifest.components:
            message = f"the component {finding.component!r} is not declared"
            yield Finding(
                ("findings", name, "component"), message + did_you_mean(finding.component, manifest.components)
            )
    if manifest.findings and not any(component.metrics for component in manifest.components.values()):
        message = "findings are read from metrics, and no component has `metrics`; add them where they are"
        yield Finding(("findings",), message, key=True)


def _check_called(manifest: Manifest) -> Iterator[Finding]:
    called = {link for component in manifest.components.values() for link in component.links}
    for name, component in manifest.components.items():
        if not component.ports and (component.entry or name in called):
            why = "load enters here" if component.entry else "links lead here"
            yield Finding(("components", name), f"{why}, and no port is declared; add `ports`", key=True)


def _check_component(manifest: Manifest, name: str, component: Component, folder: Path) -> Iterator[Finding]:
    here: Location = ("components", name)
    if not is_folder(folder / component.directory):
        yield Finding(
            (*here, "directory"), f"there is no folder {component.directory!r} next to the manifest; check it"
        )
    for index, link in enumerate(component.links):
        if link not in manifest.components:
            message = f"the component {link!r} is not declared{did_you_mean(link, manifest.components)}"
            yield Finding((*here, "links", index), message)
    if component.ready is not None and component.ready.port not in component.ports:
        message = (
            f"the port {component.ready.port!r} is not declared{did_you_mean(component.ready.port, component.ports)}"
        )
        yield Finding((*here, "ready", "port"), message)
    for setting_name, setting in component.settings.items():
        yield from _check_setting((*here, "settings", setting_name), setting)
    yield from _check_resources(manifest, here, component)
    yield from check_sources(manifest, name, component)
    yield from _check_container(here, component, folder)
    texts = [((*here, "command", index), text) for index, text in enumerate(component.command or ())]
    if component.container is not None:
        own = enumerate(component.container.command or ())
        texts += [((*here, "container", "command", index), text) for index, text in own]
    texts += [((*here, "environment", key), text) for key, text in component.environment.items()]
    for location, text in texts:
        yield from _check_template(location, text, component)


def _check_container(here: Location, component: Component, folder: Path) -> Iterator[Finding]:
    if (container := component.container) is None:
        return
    here = (*here, "container")
    if (build := container.build) is not None:
        context = folder / build.context
        if not is_folder(context):
            message = f"there is no folder {build.context!r} next to the manifest; check it"
            yield Finding((*here, "build", "context"), message)
        elif not is_file(context / build.dockerfile):
            message = f"there is no file {build.dockerfile!r} in the folder {build.context!r}; check it"
            yield Finding((*here, "build"), message, key=True)
    for name in container.ports:
        if name not in component.ports:
            message = f"the port {name!r} is not declared{did_you_mean(name, component.ports)}"
            yield Finding((*here, "ports", name), message, key=True)
    if len(set(container.ports.values())) < len(container.ports):
        yield Finding((*here, "ports"), "two ports have one number; give each its own", key=True)


def _check_setting(here: Location, setting: Setting) -> Iterator[Finding]:
    known = units(setting.type)
    if setting.unit is not None and setting.unit not in known:
        shown = f"write one of {', '.join(known)}" if known else "leave `unit` out"
        yield Finding((*here, "unit"), f"{setting.unit!r} is no unit of the type {setting.type}; {shown}")
        return
    if (setting.type == "choice") != (setting.choices is not None):
        yield Finding(here, "`choices` goes with `type: choice`, and only with it; add or remove it", key=True)
        return
    unbounded = setting.model_copy(update={"minimum": None, "maximum": None})
    bounds = {name: bound for name in ("minimum", "maximum") if (bound := getattr(setting, name)) is not None}
    for name, value in {**bounds, "default": setting.default}.items():
        try:
            parse_setting(setting if name == "default" else unbounded, value)
        except ValueError as error:
            yield Finding((*here, name), f"`{name}`: {error}")
            return


def _check_resources(manifest: Manifest, here: Location, component: Component) -> Iterator[Finding]:
    if component.resources and component.metrics is None:
        message = "a component with `resources` needs `metrics`, where their counters are read; add it"
        yield Finding((*here, "resources"), message, key=True)
    for name, resource in component.resources.items():
        if resource.feeds is not None and resource.feeds not in component.resources:
            message = (
                f"the resource {resource.feeds!r} is not declared{did_you_mean(resource.feeds, component.resources)}"
            )
            yield Finding((*here, "resources", name, "feeds"), message)
        if resource.sized_by is None:
            continue
        owner_name, _, setting = resource.sized_by.rpartition(".")
        owner = manifest.components.get(owner_name) if owner_name else component
        if owner is None or setting not in owner.settings:
            known = owner.settings if owner else manifest.components
            message = f"the setting {resource.sized_by!r} is not declared{did_you_mean(setting, known)}"
            yield Finding((*here, "resources", name, "sized_by"), message)
    if component.has_own_cpu and "cpu" in component.resources:
        limited = "cores" if component.cores else "container: {cpus: …}"
        message = f"`{limited}` makes a resource `cpu`, and one is declared here too; keep one of them"
        yield Finding((*here, "resources", "cpu"), message, key=True)


def _check_template(here: Location, text: str, component: Component) -> Iterator[Finding]:
    fields: dict[str, object] = dict.fromkeys(_PLAIN_FIELDS)
    if component.per == "target":
        del fields["region"]
    for group, names in (("ports", component.ports), ("links", component.links), ("settings", component.settings)):
        fields |= {f"{group}.{name}": None for name in names}
    for field in _FIELD.findall(text):
        if field == "region" and component.per == "target":
            yield Finding(here, "`{region}` is empty in a component that exists once; write `per: region` or remove it")
        elif field not in fields:
            yield Finding(here, f"`{{{field}}}` stands for nothing{did_you_mean(field, fields)}")


def _check_cycles(manifest: Manifest) -> Iterator[Finding]:
    done: set[str] = set()
    for name in manifest.components:
        trail: list[str] = []
        if (cycle := _cycle(manifest, name, trail, done)) is not None:
            shown = " -> ".join(cycle)
            message = f"the links run in a circle ({shown}), so nothing can be started first; remove one"
            yield Finding(("components", cycle[0], "links"), message, key=True)
            return


def _cycle(manifest: Manifest, name: str, trail: list[str], done: set[str]) -> list[str] | None:
    if name in trail:
        return [*trail[trail.index(name) :], name]
    if name in done or name not in manifest.components:
        return None
    trail.append(name)
    for link in manifest.components[name].links:
        if (cycle := _cycle(manifest, link, trail, done)) is not None:
            return cycle
    trail.pop()
    done.add(name)
    return None
