"""Turns a resolved compose file into the one that a run brings up: the same services, in a place of their own.

Nothing of it can meet what the user runs from the same file: names, host ports, images and named volumes are the
run's own. What is declared `external` stays as it is. Everything carries the run's labels.

A link is re-pointed without a change to the service: it joins a small network of the link's own, and the far end's
names mean an address of that network to it, at which the link's proxy is found on the far end's own port number.
"""

import copy
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment.compose.service import (
    DEFAULT_NETWORK,
    extra_hosts,
    names_of,
    networks,
    pairs,
    published_ports,
)
from chaoskit.environment.docker.container import CPU_PERIOD_US
from chaoskit.ports import LOOPBACK

Config = dict[str, Any]
_ONE_OF_A_KIND: Final = ("container_name", "scale")
_BRIDGE_NAME: Final = "com.docker.network.bridge.name"
_PUBLISHING: Final = "chaoskit-publishing"


@dataclass(frozen=True, slots=True)
class Detour:
    """A link of one service: through `network`, where `address` is what the names of the service `far` mean to it.

    `relayed` says that a relay has that address, not the proxy.
    """

    network: str
    address: str
    far: str
    relayed: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """What becomes of a service that the target names.

    `instance` is its name in the plan. `published` maps its own port numbers to addresses of this machine. The
    `environment` is added to its own, the limits (cores, bytes) replace its own; None leaves them.
    """

    instance: str
    published: Mapping[int, Address] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    detours: tuple[Detour, ...] = ()
    cpus: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """Everything that a run changes in a compose file. `components` is keyed by service, and may lack some."""

    run_id: str
    runner: str
    folder: Path
    components: Mapping[str, Component]
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    build_network: str | None = None

    def of(self, resolved: Config) -> Config:
        """Return the file that the run brings up; `resolved` stays as it is."""
        config = {key: copy.deepcopy(value) for key, value in resolved.items() if key not in {"version", "name"}}
        labels = containers.labels(self.run_id, self.runner)
        for kind in ("networks", "volumes"):
            config[kind] = {name: _own(given, labels) for name, given in (config.get(kind) or {}).items()}
        for name, network in config["networks"].items():
            if not _has_fixed_addresses(name, resolved):
                network.pop("ipam", None)  # the range of addresses may be in use, by this very file
        for name, service in resolved["services"].items():
            config["services"][name] = self._service(name, service, resolved)
        if any(DEFAULT_NETWORK in service.get("networks", ()) for service in config["services"].values()):
            config["networks"].setdefault(DEFAULT_NETWORK, {"labels": labels})
        for component in self.components.values():
            for detour in component.detours:
                config["networks"][detour.network] = {"external": True, "name": detour.network}
        if any(_PUBLISHING in service.get("networks", ()) for service in config["services"].values()):
            config["networks"][_PUBLISHING] = {"labels": labels}
        return config

    def _service(self, name: str, given: Mapping[str, Any], resolved: Config) -> Config:
        service = {key: copy.deepcopy(value) for key, value in given.items() if key not in _ONE_OF_A_KIND}
        component = self.components.get(name)
        instance = component.instance if component else name
        service["labels"] = {**pairs(given.get("labels")), **containers.labels(self.run_id, self.runner, instance)}
        if given.get("build"):
            self._set_build(service)
        if image := self._built_image(name, given, resolved):
            service["image"] = image
        if not given.get("network_mode"):
            service["networks"] = joined = networks(given)
            if alias := given.get("container_name"):
                for options in joined.values():
                    options["aliases"] = [*(options.get("aliases") or ()), alias]
        service["ports"] = [f"{LOOPBACK}::{number}/{kind}" for number, kind in published_ports(given).items()]
        if component is not None:
            _set_up(component, service, given, resolved)
        if not service["ports"]:
            del service["ports"]
        return service

    def _set_build(self, service: Config) -> None:
        build = service["build"] if isinstance(service["build"], dict) else {"context": service["build"]}
        arguments = {**pairs(build.get("args")), **self.build_arguments}
        labels = {**pairs(build.get("labels")), containers.IMAGE_LABEL: "compose"}
        service["build"] = {**build, "args": arguments, "labels": labels}
        if self.build_network:
            service["build"].setdefault("network", self.build_network)

    def _built_image(self, name: str, service: Mapping[str, Any], resolved: Config) -> str:
        """Return a name of our own for an image that the file builds, here or at another service; else nothing.

        It is the same one in each run, so that the next run finds it in the cache, and the user's own stays as it is.
        """
        image = service.get("image")
        builders = [
            other for other, one in resolved["services"].items() if one.get("build") and one.get("image") == image
        ]
        if not service.get("build") and (image is None or not builders):
            return ""
        builder = name if image is None else builders[0]
        place = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        words = re.sub(r"[^a-z0-9]+", "-", f"{self.folder.name}-{builder}".lower()).strip("-")
        return f"chaoskit/{words}:{place}"


def _set_up(component: Component, service: Config, given: Mapping[str, Any], resolved: Config) -> None:
    """Publish the ports of a component on the run's addresses, lead its links through their detours."""
    service.get("deploy", {}).pop("replicas", None)
    _limit(component, service)
    own = [f"{address.host}:{address.port}:{number}" for number, address in component.published.items()]
    numbers = {f"{LOOPBACK}::{number}/tcp" for number in component.published}
    others = [port for port in service["ports"] if port not in numbers]
    service["ports"] = [*others, *own]
    if component.environment:
        added = {name: value.replace("$", "$$") for name, value in component.environment.items()}
        service["environment"] = {**pairs(given.get("environment")), **added}
    if "networks" in service:
        if own and all(_is_internal(resolved, network) for network in service["networks"]):
            service["networks"][_PUBLISHING] = {}  # the engine publishes no port of an internal network
        service["networks"] |= {detour.network: {} for detour in component.detours}
    hosts = extra_hosts(given)
    for detour in component.detours:
        far = resolved["services"][detour.far]
        hosts |= dict.fromkeys(names_of(detour.far, far, given), detour.address)
    if hosts:
        service["extra_hosts"] = [f"{name}:{address}" for name, address in hosts.items()]


def _limit(component: Component, service: Config) -> None:
    """Set the limits that the scenario wants. A limit of CPU is written as a quota, which can be changed in a run."""
    reserved = service.get("deploy", {}).get("resources", {}).get("limits", {})
    own = service.pop("cpus", None) or reserved.pop("cpus", None)
    cpus = own if component.cpus is None else component.cpus
    if component.cpus is not None or component.memory_bytes is not None:
        service.get("deploy", {}).pop("resources", None)
    if cpus is not None:
        service |= {"cpu_period": CPU_PERIOD_US, "cpu_quota": round(float(cpus) * CPU_PERIOD_US)}
    if component.memory_bytes is not None:
        service |= {"mem_limit": component.memory_bytes, "memswap_limit": component.memory_bytes}


def _own(given: Mapping[str, Any] | None, labels: Mapping[str, str]) -> Config:
    """Return a network or volume under a name of the run's own; an external one, which is somebody else's, as it is."""
    options = dict(given or {})
    if options.get("external"):
        return options
    options.pop("name", None)
    if options.get("driver_opts"):
        options["driver_opts"] = {name: one for name, one in options["driver_opts"].items() if name != _BRIDGE_NAME}
    options["labels"] = {**pairs(options.get("labels")), **labels}
    return options


def _has_fixed_addresses(network: str, resolved: Config) -> bool:
    joined = (networks(service).get(network, {}) for service in resolved["services"].values())
    return any("ipv4_address" in options or "ipv6_address" in options for options in joined)


def _is_internal(resolved: Config, network: str) -> bool:
    options = (resolved.get("networks") or {}).get(network) or {}
    return bool(options.get("internal"))
