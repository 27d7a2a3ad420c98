"""One service of a resolved compose file, whose parts may be written in several ways, read in one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Service = Mapping[str, Any]
DEFAULT_NETWORK: Final = "default"


def pairs(value: object, separator: str = "=") -> dict[str, str | None]:
    """Return a mapping that may be written as a list of `NAME=VALUE`; a name alone has the value None."""
    if isinstance(value, Mapping):
        return {str(name): None if one is None else str(one) for name, one in value.items()}
    found: dict[str, str | None] = {}
    for item in value if isinstance(value, list) else ():
        name, mark, one = str(item).partition(separator)
        found[name] = one if mark else None
    return found


def extra_hosts(service: Service) -> dict[str, str]:
    """Return the host names that the service's containers know beside the network's, with their addresses."""
    value = service.get("extra_hosts")
    if isinstance(value, Mapping):
        return {str(name): str(address) for name, address in value.items()}
    hosts = {}
    for item in value if isinstance(value, list) else ():
        name, _, address = str(item).partition("=" if "=" in str(item) else ":")
        hosts[name] = address
    return hosts


def networks(service: Service) -> dict[str, dict[str, Any]]:
    """Return the networks that the service joins, each with its options; none where it has a `network_mode`."""
    if service.get("network_mode"):
        return {}
    value = service.get("networks") or {DEFAULT_NETWORK: None}
    return {str(name): dict(value[name] or {}) if isinstance(value, Mapping) else {} for name in value}


def target_ports(service: Service) -> dict[int, str]:
    """Return the container ports that the service publishes or exposes, each with its protocol, `tcp` or `udp`."""
    found: dict[int, str] = {}
    for port in (*_items(service, "ports"), *_items(service, "expose")):
        if isinstance(port, Mapping):
            numbers, protocol = str(port.get("target", "")), str(port.get("protocol", "tcp"))
        else:
            numbers, _, protocol = str(port).rpartition(":")[2].partition("/")
        found |= dict.fromkeys(_numbers(numbers), protocol or "tcp")
    return found


def published_ports(service: Service) -> dict[int, str]:
    """Return the container ports that can be reached from outside, each with its protocol."""
    return target_ports({"ports": service.get("ports")})


def names_of(name: str, service: Service, near: Service) -> tuple[str, ...]:
    """Return every host name by which the service `near` may know the service called `name`."""
    aliases = [alias for options in networks(service).values() for alias in options.get("aliases") or ()]
    linked = [str(link).partition(":") for link in _items(near, "links")]
    links = [alias for other, _, alias in linked if other == name and alias]
    own = [str(service["container_name"])] if service.get("container_name") else []
    return tuple(dict.fromkeys([name, *own, *map(str, aliases), *links]))


def needs(name: str, services: Mapping[str, Service]) -> set[str]:
    """Return the services that the one called `name` depends on, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        here = services.get(waiting.pop(), {})
        links = [str(link).partition(":")[0] for link in _items(here, "links")]
        volumes = [volume for volume in _items(here, "volumes_from") if not str(volume).startswith("container:")]
        shared = [str(here.get(kind, "")).partition("service:")[2] for kind in ("network_mode", "ipc", "pid")]
        lent = [str(volume).partition(":")[0] for volume in volumes]
        new = ({*(here.get("depends_on") or ()), *links, *lent, *shared} & services.keys()) - found
        waiting += new
        found |= new
    return found


def conditions(service: Service) -> dict[str, str]:
    """Return what must be so of each service in `depends_on` before this one starts, in compose's own words."""
    value = service.get("depends_on")
    given = value if isinstance(value, Mapping) else dict.fromkeys(value or ())
    return {str(name): str((options or {}).get("condition", "service_started")) for name, options in given.items()}


def _items(service: Service, key: str) -> Iterable[Any]:
    value = service.get(key)
    return value if isinstance(value, list) else ()


def _numbers(text: str) -> Iterable[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return ()
    return range(int(first), int(last or first) + 1)
