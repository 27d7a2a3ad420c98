"""The compose driver: services of a user's compose file, up beside the user's own, each declared link proxied."""

import asyncio
import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from docker.models.containers import Container

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment.compose.command import ComposeCommand, find_command
from chaoskit.environment.compose.instance import POLL_INTERVAL_S, ServiceInstance
from chaoskit.environment.compose.rearrangement import Component, Detour, Rearrangement
from chaoskit.environment.compose.relay import Relay
from chaoskit.environment.compose.service import conditions, needs
from chaoskit.environment.contract import Layout, LinkAddresses
from chaoskit.environment.docker.driver import DockerDriver
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.images import NETWORK_VARIABLE, Image, machine_arguments
from chaoskit.environment.docker.networks import Network
from chaoskit.environment.docker.output import Output
from chaoskit.environment.template import Place, fill, values
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import SetupFailed, UsageError
from chaoskit.plan.model import Plan, PlannedCompose, PlannedInstance, PlannedLink

CLIENT: Final = "client"
FILE: Final = "compose.yaml"
LOG: Final = "compose.log"
OUTPUT_TIMEOUT_S: Final = 3.0
BUILD_TIMEOUT_S: Final = 1800.0
UP_TIMEOUT_S: Final = 300.0
"""How long one `up` may take beside the readiness of components: it pulls images, and waits for what others need."""
RELAYED: Final = "{near} calls through a relay, which the probes do not: to it, what is refused here is hung up on"
COMPLETED: Final = "service_completed_successfully"
CONDITIONS: Final = {COMPLETED: "done", "service_healthy": "healthy"}


class ComposeDriver(DockerDriver):
    """Plays the services of `plan.compose` as a compose project of the run's own; see `Rearrangement`.

    Compose makes and starts the containers; from then on they are watched, controlled and removed as the docker
    driver's are. All methods belong to one event loop.
    """

    _events: ClassVar[tuple[str, ...]] = ("die", "oom", "start")

    def __init__(self, plan: Plan, workspace: Workspace, logs: Path, say: Callable[[str], None]) -> None:
        super().__init__(plan, workspace, logs, say)
        self._compose = plan.compose or PlannedCompose(())
        self._project = f"chaoskit-{workspace.run_id.lower()}"
        self._file = workspace.folder / FILE
        self._services: Mapping[str, Mapping[str, Any]] = {}
        self._command: ComposeCommand | None = None
        self._taken: dict[str, ServiceInstance] = {}
        self._others: dict[str, Output] = {}
        self._started: set[str] = set()

    async def prepare(self) -> Layout:
        """Read the files, make each link's network, choose the addresses and hold them.

        Raises:
            UsageError: the files are invalid, or lack what the target names.
            SetupFailed: there is no compose or no engine, or an address is taken.
        """
        words = await find_command()
        self._command = ComposeCommand(words, self._project, self._compose.files, self._compose.profiles)
        resolved = await self._command.resolve()
        self._services = resolved["services"]
        self._check_services()
        engine = self._engine = await Engine.connect()
        ports = {
            instance.name: {port.name: self._ports.hold() for port in instance.ports}
            for instance in self._plan.instances
        }
        links, detours = {}, dict[str, Detour]()
        for index, link in enumerate(self._plan.links):
            caveat = ""
            if link.source == CLIENT:
                listen = self._ports.hold(self._plan.listen_host(link.name))
            else:
                listen, detour = await self._detour(engine, link, f"{self._project}-link-{index}")
                caveat = RELAYED.format(near=link.source) if detour.relayed else ""
                detours[link.name] = detour
            links[link.name] = LinkAddresses(listen, ports[link.destination][link.port], caveat=caveat)
        self._layout = Layout(ports, links)
        config = self._rearrangement(detours).of(resolved)
        # JSON is YAML that reads the same by every version of it
        self._file.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")
        return self._layout

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The engine and the images."""
        found = super().provenance
        return {**found, "engine": {**found["engine"], "kind": "compose"}}

    async def _take_down(self, engine: Engine) -> None:
        try:
            await super()._take_down(engine)
        finally:
            for output in self._others.values():
                await asyncio.to_thread(output.end, OUTPUT_TIMEOUT_S)
            self._others.clear()

    async def _start_instances(self, engine: Engine) -> None:
        """Start what components may need, then these wave by wave, then the rest of the file."""
        for instance in self._plan.instances:
            log, addresses = self._logs / f"{instance.name}.log", self._layout.ports[instance.name]
            numbers, report = _numbers(instance), self._deaths.put_nowait
            part = ServiceInstance(instance.name, addresses, numbers, instance.ready, log, report)
            self._parts[instance.name] = self._taken[instance.name] = part
        if any(service.get("build") for service in self._services.values()):
            self._say(f"building the images of {self._compose.files[0]}")
            await self._call(BUILD_TIMEOUT_S, "build")
        others = self._others_by_need()
        await self._up(engine, others[False])
        for wave in self._waves:
            await self._up(engine, [instance.service or instance.name for instance in wave])
            async with asyncio.TaskGroup() as group:
                for instance in wave:
                    group.create_task(self._take_over(engine, instance))
        await self._up(engine, others[True])

    async def _take_over(self, engine: Engine, instance: PlannedInstance) -> None:
        found = await self._containers(engine, instance.name)
        if not found:
            raise SetupFailed(f"{instance.name} did not come up: compose made no container of it")
        self._images[instance.name] = Image(found[0].attrs["Config"]["Image"], found[0].attrs["Image"])
        await self._taken[instance.name].take_over(engine, found[0])

    async def _follow_others(self, engine: Engine) -> None:
        """Keep the logs of the services that are no components, too."""
        for container in await self._containers(engine):
            name = container.labels.get(containers.INSTANCE_LABEL, "")
            if name and name not in self._parts and container.id not in self._others:
                log = self._logs / f"{name}.log"
                follow = functools.partial(Output, container, log, from_start=True)
                self._others[container.id] = await engine.call(f"the output of {name} cannot be read", follow)

    async def _containers(self, engine: Engine, instance: str = "") -> list[Container]:
        labels = containers.labels(self._run_id, self._runner, instance)
        wanted = [f"{name}={value}" for name, value in labels.items()]
        search = functools.partial(engine.client.containers.list, all=True, filters={"label": wanted})
        found: list[Container] = await engine.call("the engine does not list the containers", search)
        return found

    async def _up(self, engine: Engine, services: Iterable[str]) -> None:
        """Start services and what they need, each once in a run: compose would start again what has ended by now."""
        wanted = set(services).union(*(needs(name, self._services) for name in services))
        new = [name for name in self._services if name in wanted - self._started]
        if not new:
            return
        timeout_s = UP_TIMEOUT_S + sum(one.ready.timeout_s for one in self._plan.instances if one.ready)
        await self._await_conditions(engine, new, timeout_s)
        self._started.update(new)
        try:
            await self._call(timeout_s, "up", "--detach", "--no-build", "--no-deps", *new)
        except BaseException:
            with suppress(SetupFailed):  # the first error is the one to tell
                await self._follow_others(engine)
            raise
        await self._follow_others(engine)

    async def _await_conditions(self, engine: Engine, services: Iterable[str], timeout_s: float) -> None:
        """Wait for what `services` want of those that have been started before, which compose is not asked to do."""
        for name in services:
            for other, condition in conditions(self._services[name]).items():
                if other in self._started and condition in CONDITIONS:
                    try:
                        async with asyncio.timeout(timeout_s):
                            await self._until(engine, other, condition)
                    except TimeoutError:
                        message = f"{name} did not come up: {other} is not {CONDITIONS[condition]} after {timeout_s:g}s"
                        raise SetupFailed(message) from None

    async def _until(self, engine: Engine, service: str, condition: str) -> None:
        component = next((one.name for one in self._plan.instances if one.service == service), service)
        while True:
            states = [one.attrs["State"] for one in await self._containers(engine, component)]
            if states and all(_meets(condition, state) for state in states):
                return
            failed = [state["ExitCode"] for state in states if state["Status"] == "exited" and state["ExitCode"]]
            if failed and condition == COMPLETED:
                raise SetupFailed(
                    f"{service} failed: it exited with {failed[0]}; see {service}.log in the run's folder"
                )
            await asyncio.sleep(POLL_INTERVAL_S)

    async def _call(self, timeout_s: float, *arguments: str) -> None:
        assert self._command is not None
        await self._command.run(self._file, self._logs / LOG, timeout_s, *arguments)

    def _others_by_need(self) -> Mapping[bool, list[str]]:
        """Return the services that no component is: under False those that need none, for components may need them."""
        components = {instance.service for instance in self._plan.instances}
        found: dict[bool, list[str]] = {False: [], True: []}
        for name, service in self._services.items():
            profiles = service.get("profiles") or self._compose.profiles
            if name not in components and (not profiles or set(profiles) & set(self._compose.profiles)):
                found[not components.isdisjoint(needs(name, self._services))].append(name)
        return found

    def _check_services(self) -> None:
        """Raise UsageError for a service that the file lacks, or whose links nobody can re-point."""
        files = ", ".join(self._compose.files)
        for instance in self._plan.instances:
            service = self._services.get(instance.service or "")
            if service is None:
                known = ", ".join(sorted(self._services))
                raise UsageError(f"{files} has no service {instance.service!r}; it has {known}")
            if mode := service.get("network_mode"):
                message = f"the service {instance.service!r} of {files} has `network_mode: {mode}`, so it has no ports"
                raise UsageError(f"{message} and links of its own; leave it out of the target, or give it a network")

    def _instance(self, name: str) -> PlannedInstance:
        return next(instance for instance in self._plan.instances if instance.name == name)

    async def _detour(self, engine: Engine, link: PlannedLink, name: str) -> tuple[Address, Detour]:
        """Make the link's network; return where its proxy listens, and what the far end's names mean to the near end.

        The proxy listens on the network's gateway on the far end's own port number. Where something has that port on
        all addresses of this machine, a relay on the network has it, and passes on to the proxy.
        """
        network = await Network.create(engine, name, self._labels(), internal=True)
        if network.gateway is None:
            message = "the engine's networks are in a virtual machine of their own (Docker Desktop)"
            raise SetupFailed(f"link {link.name} cannot be re-pointed: {message}; use an engine that runs here")
        far = self._instance(link.destination)
        number = _numbers(far)[link.port]
        try:
            listen = self._ports.hold(network.gateway, number)
            reached = network.gateway
        except OSError:
            listen = self._ports.hold(network.gateway)
            await self._check_relay(engine, link, number)
            relay = Relay(f"{name}-relay", network, number, listen, self._labels())
            reached = await relay.start(engine)
        return listen, Detour(name, reached, far.service or far.name, relayed=reached != network.gateway)

    async def _check_relay(self, engine: Engine, link: PlannedLink, number: int) -> None:
        """Raise SetupFailed where the relay's image is not in the engine: nothing is downloaded unasked."""
        image = containers.TOXIPROXY_IMAGE
        found = await engine.call(f"{image} cannot be looked for", lambda: engine.client.images.list(image))
        if not found:
            why = f"port {number}, where its proxy would listen, is not to be had on this machine"
            mend = f"free the port, or get the image of a relay by `docker pull {image}`"
            raise SetupFailed(f"link {link.name} cannot be re-pointed: {why}; {mend}")

    def _rearrangement(self, detours: Mapping[str, Detour]) -> Rearrangement:
        components = {}
        for instance in self._plan.instances:
            container = instance.container
            components[instance.service or instance.name] = Component(
                instance.name,
                {number: self._layout.ports[instance.name][port] for port, number in _numbers(instance).items()},
                self._environment(instance),
                tuple(detours[link.name] for link in self._plan.links if link.source == instance.name),
                container.cpus if container else None,
                container.memory_bytes if container else None,
            )
        folder = Path(self._compose.files[0]).parent
        network = os.environ.get(NETWORK_VARIABLE)
        return Rearrangement(self._run_id, self._runner, folder, components, machine_arguments(), network)

    def _environment(self, instance: PlannedInstance) -> dict[str, str]:
        place = Place("python", "0.0.0.0", "/tmp", _numbers(instance))  # noqa: S104, S108 - seen in the container
        known = values(instance, self._plan, self._layout, place)
        return {
            name: fill(template, known, f"environment.{name} of {instance.name}")
            for name, template in instance.environment.items()
        }


def _meets(condition: str, state: Mapping[str, Any]) -> bool:
    if condition == COMPLETED:
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)
    return bool(state.get("Health", {}).get("Status") == "healthy")


def _numbers(instance: PlannedInstance) -> Mapping[str, int]:
    """Return the ports of an instance as its container has them."""
    return instance.container.ports if instance.container else {}
