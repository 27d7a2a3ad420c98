"""What a manifest must fulfil whose components are services of a compose file, and what only such a one may say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from chaoskit.scenario.document import Document, Finding, Location, read
from chaoskit.scenario.files import is_file
from chaoskit.scenario.manifest import Component, Compose, Manifest
from chaoskit.scenario.problems import did_you_mean

_SAID_BY_THE_FILE: Final = ("command", "container", "directory", "where")
_HAS_SERVICES_ELSEWHERE: Final = "include"


def check_composition(manifest: Manifest, folder: Path) -> Iterator[Finding]:
    """Yield everything in `manifest`, which lies in `folder`, that does not fit its compose file or the lack of one."""
    if manifest.compose is None:
        for name, component in manifest.components.items():
            yield from _check_without(("components", name), component)
        return
    services = None
    for index, file in enumerate(manifest.compose.files):
        here: Location = ("compose", "file")
        if not is_file(folder / file):
            yield Finding(
                here if isinstance(manifest.compose.file, str) else (*here, index),
                f"there is no file {file!r} next to the manifest; check the path",
            )
            return
    services = _services(manifest.compose, folder)
    seen: dict[str, str] = {}
    for name, component in manifest.components.items():
        here = ("components", name)
        service = component.service or name
        at_service = (*here, "service") if component.service else here
        if service in seen:
            message = f"the service {service!r} is the component {seen[service]} already; keep one of them"
            yield Finding(at_service, message, key=True)
        elif services is not None and service not in services:
            message = f"the compose file has no service {service!r}{did_you_mean(service, services)}"
            yield Finding(at_service, message, key=not component.service)
        seen[service] = name
        yield from _check_within(here, component)


def _check_without(here: Location, component: Component) -> Iterator[Finding]:
    if component.command is None and component.container is None:
        message = "a component has a `command` (a process), a `container`, or both; add one"
        yield Finding(here, message)
    if component.service is not None:
        yield Finding((*here, "service"), "`service` goes with a `compose` file, and there is none; leave it out", True)
    for name, port in component.ports.items():
        if port.number is not None:
            message = "a port gets its number when a run starts; leave `number` out, and hand over `{ports.NAME}`"
            yield Finding((*here, "ports", name, "number"), message, key=True)


def _check_within(here: Location, component: Component) -> Iterator[Finding]:
    for key in _SAID_BY_THE_FILE:
        if key in component.model_fields_set:
            yield Finding((*here, key), f"the compose file says this of its services; leave `{key}` out", key=True)
    if component.per == "region":
        message = "a service of a compose file exists once; leave `per: region` out"
        yield Finding((*here, "per"), message)
    for name, port in component.ports.items():
        if port.number is None:
            message = "a service has its own port numbers; add it, like `number: 8080`"
            yield Finding((*here, "ports", name), message)


def _services(compose: Compose, folder: Path) -> tuple[str, ...] | None:
    """Return the names of the files' services; None where only compose itself can tell them."""
    names: list[str] = []
    for file in compose.files:
        document, _ = read(folder / file)
        if _leads_elsewhere(document):
            return None
        names += document.names("services")
    return tuple(names)


def _leads_elsewhere(document: Document) -> bool:
    return not isinstance(document.data, Mapping) or _HAS_SERVICES_ELSEWHERE in document.data
