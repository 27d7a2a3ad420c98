"""The first draft of a target.yaml and of a scenario for a compose file, with comments that say what was guessed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chaoskit.environment.compose.survey import FoundPort, FoundService

_PLAIN: Final = re.compile(r"[A-Za-z_./][\w./-]*")
_NOT_PLAIN: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class Draft:
    """Both files as text. `scenario` is empty where no service speaks HTTP, which a request in YAML needs."""

    target: str
    scenario: str


def draft(name: str, file: str, services: Sequence[FoundService], target_file: str) -> Draft:
    """Write the drafts of a target called `name`; `file` and `target_file` are as seen from the target's folder."""
    components = component_names([service.name for service in services])
    chosen = [service for service in services if service.ports or service.links]
    return Draft(
        "\n".join(_target(name, file, chosen, components)) + "\n",
        "\n".join(_scenario(name, chosen, components, target_file)) + "\n" if _http_entry(chosen) else "",
    )


def component_names(services: Sequence[str]) -> dict[str, str]:
    """Return a component's name for each service: its own where that fits, else the nearest that does."""
    names: dict[str, str] = {}
    for service in services:
        name = to_name(service)
        while name in names.values() or name == "client":
            name += "-1"
        names[service] = name
    return names


def to_name(text: str) -> str:
    """Return the nearest name in a manifest's sense: lower case, begins with a letter, at most 63 characters."""
    name = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-")
    return (name if name[:1].isalpha() else f"target-{name}".rstrip("-"))[:63]


def _target(name: str, file: str, services: Sequence[FoundService], names: Mapping[str, str]) -> Iterator[str]:
    yield f"# Drafted from {file}. What was guessed has a comment: check it, change it, remove what is not so."
    yield "# A run brings these services up as a project of its own, beside yours: with host ports, networks and named"
    yield "# volumes of its own. Services that are not named here come up as they are."
    yield "version: 1"
    yield f"name: {name}"
    yield f"compose: {{file: {_text(file)}}}"
    yield "components:"
    for service in services:
        yield from _component(service, names)


def _component(service: FoundService, names: Mapping[str, str]) -> Iterator[str]:
    yield f"  {names[service.name]}:"
    if names[service.name] != service.name:
        yield f"    service: {_text(service.name)}"
    for remark in service.remarks:
        yield f"    # {remark}"
    if service.entry:
        why = "it publishes a port" if service.published else "no other service seems to call it"
        yield f"    entry: true    # load enters here: guessed, for {why}"
    if service.links:
        yield "    links:         # each gets a proxy, where faults act"
        for link in service.links:
            doubt = "" if link.certain else "; only the start's order says so: remove it if it is not called"
            yield f"      - {names[link.service]}    # guessed from {link.source}{doubt}"
    if service.ports:
        yield "    ports:         # every port that other services use; links lead to the first one"
        for port in service.ports:
            yield f"      {port.name}: {{protocol: {_protocol(port)}, number: {port.number}}}    # {port.source}"
    yield from _readiness(service)


def _readiness(service: FoundService) -> Iterator[str]:
    if service.has_health_check:
        yield "    # ready when its health check in the compose file passes"
    elif service.ports:
        port = service.ports[0]
        better = (
            f"; surer, if it has such a path: {{port: {port.name}, http: /health}}" if port.protocol == "http" else ""
        )
        yield f"    ready: {{port: {port.name}}}    # when it accepts connections{better}"


def _protocol(port: FoundPort) -> str:
    return (
        f"{{name: http, path: {_text(port.path)}}}" if port.protocol == "http" and port.path != "/" else port.protocol
    )


def _scenario(name: str, services: Sequence[FoundService], names: Mapping[str, str], target_file: str) -> Iterator[str]:
    entry = _http_entry(services)
    assert entry is not None
    fault = next(iter(_faults(services, names)), None)
    yield "# A first day: five times the load, and trouble on a link in the middle of it. Make it yours."
    yield "version: 1"
    yield f"name: {name}-day"
    yield f"target: {{use: {_text(target_file)}}}"
    yield "load:"
    yield f"  requests: {{request: {{path: {_text(entry.ports[0].path)}}}, rate: 5/s}}    # what do your users ask for?"
    yield "phases:"
    yield "  - baseline: {for: 15s}"
    yield "  - surge: {for: 20s, ramp: 2s, multiply: 5}"
    yield "  - recovery: {for: 10s}"
    if fault:
        yield "faults:"
        yield f"  - {fault}"
        yield "    during: surge"
        yield "    at: 8s"
        yield "    for: 6s"
    yield "objectives:"
    yield "  - errors < 1% in surge"
    yield "  - requests p95 < 500ms in surge"


def _faults(services: Sequence[FoundService], names: Mapping[str, str]) -> Iterator[str]:
    """Yield a fault for each link, first those whose effect can be measured best: a slow answer needs a protocol."""
    ports = {service.name: service.ports[0].protocol for service in services if service.ports}
    links = [
        (f"{names[service.name]}->{names[link.service]}", ports[link.service])
        for service in services
        for link in service.links
    ]
    yield from (f"latency: {{link: {link}, delay: 50ms}}" for link, protocol in links if protocol != "tcp")
    yield from (f"down: {{link: {link}}}" for link, protocol in links if protocol == "tcp")


def _http_entry(services: Sequence[FoundService]) -> FoundService | None:
    return next((one for one in services if one.entry and one.ports and one.ports[0].protocol == "http"), None)


def _text(value: str) -> str:
    """Write a text as YAML: plain where that is safe, else quoted."""
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    return "'" + value.replace("'", "''") + "'"
