"""What can be guessed of a target from its compose file: ports, their protocols, entries, links; with the reasons."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from chaoskit.environment.compose import protocols
from chaoskit.environment.compose.protocols import Usual
from chaoskit.environment.compose.service import Service, names_of, pairs, published_ports, target_ports

ImagePorts = Callable[[str], tuple[int, ...]]
"""Which ports an image exposes, by its name; none where nobody knows the image."""

_LOCAL_URL: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[^\s'\"|&;)\]]*)?")
_BEFORE_A_HOST: Final = re.compile(r"(?:\b([a-z][\w.+-]*):)?//(?:[^/\s]*@)?$")
_NAMES_A_HOST: Final = re.compile(r"HOST|URL|URI|ADDR|SERVER|ENDPOINT|UPSTREAM|BROKER|SERVICE|DSN", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A port of a service; `protocol` is written as in a manifest, `source` says where the number was found."""

    name: str
    number: int
    protocol: str
    source: str
    path: str = "/"


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A service that another one seems to call, and what says so; not `certain` where that is its start only."""

    service: str
    source: str
    certain: bool


@dataclass(frozen=True, slots=True)
class FoundService:
    """One service as a component."""

    name: str
    ports: tuple[FoundPort, ...]
    links: tuple[FoundLink, ...]
    published: bool
    has_health_check: bool
    entry: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    """One place where a service names another one; `number` and `usual` where it says port and protocol too."""

    link: FoundLink
    number: int | None = None
    usual: Usual | None = None


def survey(services: Mapping[str, Service], image_ports: ImagePorts) -> tuple[FoundService, ...]:
    """Return what is found of each service that has a network of its own, in the order of the file."""
    own = {name: service for name, service in services.items() if not service.get("network_mode")}
    mentions = {name: tuple(_mentions(name, own)) for name in own}
    surveyed = {}
    for name, service in own.items():
        of_it = [mention for found in mentions.values() for mention in found if mention.link.service == name]
        surveyed[name] = FoundService(
            name,
            ports=tuple(_ports(service, of_it, image_ports)),
            links=_strongest(mention.link for mention in mentions[name]),
            published=bool(published_ports(service)),
            has_health_check=bool(_health_test(service)),
            remarks=tuple(_remarks(service)),
        )
    reachable = {
        name: replace(found, links=tuple(link for link in found.links if surveyed[link.service].ports))
        for name, found in surveyed.items()
    }
    entries = _entries(reachable)
    return tuple(replace(found, entry=name in entries) for name, found in reachable.items())


def _ports(service: Service, mentions: Sequence[_Mention], image_ports: ImagePorts) -> Iterator[FoundPort]:
    """Yield the service's ports, the one that others use first: links lead to it."""
    image = str(service.get("image") or "")
    usual = protocols.of_image(image)
    said = {mention.number: mention.usual for mention in mentions if mention.number and mention.usual}
    sources = {mention.number: "other services name it" for mention in mentions if mention.number}
    for source, numbers in (
        ("ports", published_ports(service)),
        ("expose", target_ports({"expose": service.get("expose")})),
        ("the image exposes it", dict.fromkeys(image_ports(image), "tcp")),
    ):
        for number, transport in numbers.items():
            if transport == "tcp":
                sources.setdefault(number, source)
    if usual is not None and not sources:
        sources[usual.number] = "usual for this image"
    asked = dict(_asked_by_health_check(service))
    names: set[str] = set()
    for number in sorted(sources, key=lambda number: usual is None or number != usual.number):
        if usual is not None and (number == usual.number or len(sources) == 1):
            kind = usual
        elif number in asked:
            kind = protocols.HTTP
        else:
            kind = said.get(number) or protocols.of_number(number) or Usual(f"tcp-{number}", number, "tcp")
        name = kind.name if kind.name not in names else f"{kind.name}-{number}"
        names.add(name)
        yield FoundPort(name, number, kind.protocol, sources[number], asked.get(number, "/"))


def _mentions(name: str, services: Mapping[str, Service]) -> Iterator[_Mention]:
    """Yield every place where the service called `name` seems to name another one as a host."""
    service = services[name]
    for other in services:
        if other == name:
            continue
        known_as = names_of(other, services[other], service)
        host = "|".join(map(re.escape, sorted(known_as, key=len, reverse=True)))
        address = re.compile(rf"(?<![\w.-])(?:{host})(?::(\d+))?(?![\w.-])")
        for place, text in _texts(service):
            for match in address.finditer(text):
                scheme = _BEFORE_A_HOST.search(text[: match.start()])
                if scheme or match[1] or _is_alone(place, text, match):
                    usual = protocols.of_scheme(scheme[1]) if scheme else None
                    number = int(match[1]) if match[1] else usual.number if usual else None
                    yield _Mention(FoundLink(other, place, True), number, usual)
        if other in [str(link).partition(":")[0] for link in service.get("links") or ()]:
            yield _Mention(FoundLink(other, "links", True))
        if other in (service.get("depends_on") or ()):
            yield _Mention(FoundLink(other, "depends_on", False))


def _is_alone(place: str, text: str, match: re.Match[str]) -> bool:
    """Return whether a name is a whole text of its own, where a host is usual."""
    return text.strip() == match[0] and (not place.startswith("environment") or bool(_NAMES_A_HOST.search(place)))


def _texts(service: Service) -> Iterator[tuple[str, str]]:
    for name, value in pairs(service.get("environment")).items():
        yield f"environment: {name}", value or ""
    for key in ("command", "entrypoint"):
        value = service.get(key)
        words = value if isinstance(value, list) else _words(str(value)) if value else []
        for word in words:
            yield key, str(word)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an open quote
        return text.split()


def _strongest(links: Iterator[FoundLink]) -> tuple[FoundLink, ...]:
    """Return one link to each service: what names an address says more than what orders the start."""
    found: dict[str, FoundLink] = {}
    for link in links:
        if link.service not in found or (link.certain and not found[link.service].certain):
            found[link.service] = link
    return tuple(found.values())


def _entries(services: Mapping[str, FoundService]) -> set[str]:
    """Return the services at which load enters: published, speaking HTTP, called by no other; or the nearest to it."""
    called = {link.service for found in services.values() for link in found.links}
    best = -1
    entries: set[str] = set()
    for name, found in services.items():
        if found.ports:
            likely = 4 * (found.ports[0].protocol == "http") + 2 * found.published + (name not in called)
            if likely >= best:
                entries = {name} if likely > best else entries | {name}
                best = likely
    return entries


def _health_test(service: Service) -> list[str]:
    check = service.get("healthcheck")
    test: Any = check.get("test") if isinstance(check, Mapping) and not check.get("disable") else None
    words = [test] if isinstance(test, str) else [str(word) for word in test or ()]
    return [] if words[:1] == ["NONE"] else words


def _asked_by_health_check(service: Service) -> Iterator[tuple[int, str]]:
    for match in _LOCAL_URL.finditer(" ".join(_health_test(service))):
        yield int(match[1] or 80), match[2] or "/"


def _remarks(service: Service) -> Iterator[str]:
    for volume in service.get("volumes") or ():
        if isinstance(volume, Mapping):
            kind, source, read_only = volume.get("type"), volume.get("source"), bool(volume.get("read_only"))
        else:
            source, _, rest = str(volume).partition(":")
            kind, read_only = "bind" if source.startswith(("/", ".", "~")) and rest else "", rest.endswith(":ro")
        if kind == "bind" and not read_only:
            yield f"a run shares the folder {json.dumps(source)} with yours, and may write to it"
