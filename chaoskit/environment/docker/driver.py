"""The docker driver: each instance of the plan is a container, each region a network of its own."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.docker import images, remains
from chaoskit.environment.docker.container import WORKDIR, Making
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.images import Image, Images
from chaoskit.environment.docker.instance import DockerInstance
from chaoskit.environment.docker.networks import Network
from chaoskit.environment.order import start_waves
from chaoskit.environment.template import Place, fill, values
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.plan.model import Plan, PlannedInstance, PlannedLink
from chaoskit.ports import PortHolder
from chaoskit.records import Vitals

COMMON: Final = "common"
"""Ends the name of the network of what has no region, after a dash; the names of regions come after a dot."""


class DockerDriver:
    """Plays the instances of `plan` as containers; logs go to `logs`/INSTANCE.log. `say` is told of what takes long.

    It controls them too, as `chaoskit.faults.control.Control` says. All methods belong to one event loop.
    """

    _events: ClassVar[tuple[str, ...]] = ("die", "oom")
    """What instances take heed of."""

    def __init__(self, plan: Plan, workspace: Workspace, logs: Path, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._contained = {one.name: one.container for one in plan.instances if one.container is not None}
        self._run_id = workspace.run_id
        self._runner = str(workspace.runner() or "")
        self._logs = logs
        self._say = say
        self._ports = PortHolder()
        self._waves = start_waves(plan)
        self._engine: Engine | None = None
        self._layout = Layout({}, {})
        self._images: dict[str, Image] = {}
        self._networks: dict[str | None, Network] = {}
        self._hosts: dict[str, str] = {}
        self._parts: dict[str, DockerInstance] = {}
        self._deaths: asyncio.Queue[Death | SetupFailed] = asyncio.Queue()
        self._taking_down: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    async def prepare(self) -> Layout:
        """See to the images, make the networks, and choose and hold every port.

        Raises:
            SetupFailed: no engine answers, an image cannot be had, or the engine cannot make a network.
        """
        engine = self._engine = await Engine.connect()
        provider = Images(engine, self._plan.target, self._say)
        for name, container in self._contained.items():
            self._images[name] = await provider.provide(container)
        for region in dict.fromkeys(instance.region for instance in self._plan.instances):
            name = f"{self._prefix}.{region}" if region else f"{self._prefix}-{COMMON}"
            members = [instance.name for instance in self._plan.instances if instance.region == region]
            network = await Network.create(engine, name, self._labels(), hosts=len(members))
            self._networks[region] = network
            self._hosts |= zip(members, network.hosts, strict=False)
        ports = {
            instance.name: {port.name: self._ports.hold() for port in instance.ports}
            for instance in self._plan.instances
        }
        regions = {instance.name: instance.region for instance in self._plan.instances}
        links = {}
        for link in self._plan.links:
            upstream = Address.parse(link.upstream) if link.upstream else self._upstream(link, ports)
            if link.source in regions:
                listen, reached = self._networks[regions[link.source]].hold(self._ports)
                links[link.name] = LinkAddresses(listen, upstream, reached)
            else:
                links[link.name] = LinkAddresses(self._ports.hold(self._plan.listen_host(link.name)), upstream)
        self._layout = Layout(ports, links)
        return self._layout

    async def start(self) -> None:
        """Start wave by wave: an instance starts once all that it links to are ready.

        Raises:
            SetupFailed: one did not come up; says which, why, and its last log lines. Nothing is left running.
        """
        engine = self._connected()
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            label = f"{containers.RUN_LABEL}={self._run_id}"
            await engine.listen(label, self._hear, self._lose_engine, *self._events)
            await self._start_instances(engine)
        except BaseExceptionGroup as failures:
            first = failures.exceptions[0]
            await self._stop_after(first)
            raise first from None
        except BaseException as error:
            await self._stop_after(error)
            raise

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """What is up, by name."""
        return {name: part.running for name, part in self._parts.items() if part.running is not None}

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The engine and the images."""
        version = self._engine.version if self._engine else ""
        return {"engine": {"kind": "docker", "version": version}, "images": images.described(self._images)}

    async def watch(self) -> Death:
        """Return as soon as an instance has died that should be alive; call again for the next one.

        Raises:
            SetupFailed: the engine has stopped.
        """
        news = await self._deaths.get()
        if isinstance(news, SetupFailed):
            raise news
        return news

    async def stop(self) -> None:
        """Stop in reverse order, then remove all that carries the run's label; idempotent.

        Whoever is cancelled meanwhile is in a hurry: what has not ended by then is killed, but nothing is left.

        Raises:
            RestoreFailed: the engine does not do it; says what may be left.
        """
        self._ports.release_all()
        if (engine := self._engine) is None:
            return
        taking_down = self._taking_down = self._taking_down or asyncio.create_task(self._take_down(engine))
        try:
            await asyncio.wait([taking_down])
        except asyncio.CancelledError:
            self._hurried.set()
            await asyncio.wait([taking_down])
            taking_down.result()  # that something may be left has to be said also to those in a hurry
            raise
        taking_down.result()

    async def halt(self, instance: str, gently: bool) -> None:
        """End all processes of an instance; see `DockerInstance.halt`."""
        await self._parts[instance].halt(self._connected(), self._ports, gently=gently)

    async def start_again(self, instance: str) -> None:
        """Start a halted instance as it was; see `DockerInstance.start_again`."""
        await self._parts[instance].start_again(self._connected(), self._ports)

    async def pause(self, instance: str) -> None:
        """Stop every process of an instance where it stands."""
        await self._parts[instance].pause(self._connected())

    async def resume(self, instance: str) -> None:
        """Let every process of an instance go on."""
        await self._parts[instance].resume(self._connected())

    async def limit(self, instance: str, cores: float | None, memory_bytes: int | None) -> None:
        """Limit an instance; see `DockerInstance.limit`."""
        await self._parts[instance].limit(self._connected(), cores, memory_bytes)

    async def vitals(self, instance: str) -> Vitals:
        """Look at an instance."""
        return await self._parts[instance].vitals(self._connected())

    async def _take_down(self, engine: Engine) -> None:
        """Stop in reverse order, until somebody is in a hurry, then remove everything."""
        for part in self._parts.values():
            part.expect_end()
        await engine.settle()
        stopping, hurried = asyncio.create_task(self._stop_parts(engine)), asyncio.create_task(self._hurried.wait())
        try:
            await asyncio.wait((stopping, hurried), return_when=asyncio.FIRST_COMPLETED)
            await self._remove(engine)
        finally:
            hurried.cancel()
            await asyncio.wait((stopping, hurried))
            self._parts.clear()
            self._engine = self._taking_down = None
            engine.close()

    async def _stop_parts(self, engine: Engine) -> None:
        for wave in reversed(self._waves):
            parts = [self._parts[one.name] for one in wave if one.name in self._parts]
            await asyncio.gather(*(part.stop(engine) for part in parts), return_exceptions=True)

    async def _remove(self, engine: Engine) -> None:
        what = f"containers, networks and volumes of run {self._run_id} may be left"
        mend = "`chaoskit clean` removes them once the engine answers"
        await engine.call_or(RestoreFailed, f"{what} ({mend})", lambda: remains.remove_run(engine.client, self._run_id))

    async def _start_instances(self, engine: Engine) -> None:
        """Start wave by wave: an instance starts once all that it links to are ready."""
        for wave in self._waves:
            async with asyncio.TaskGroup() as group:
                for instance in wave:
                    log = self._logs / f"{instance.name}.log"
                    part = DockerInstance(self._making(instance), instance.ready, log, self._deaths.put_nowait)
                    self._parts[instance.name] = part
                    group.create_task(part.start(engine, self._ports))

    async def _stop_after(self, first: BaseException) -> None:
        """Stop everything because of `first`, which must reach the caller whatever the stopping brings."""
        try:
            await self.stop()
        except RestoreFailed as error:
            first.add_note(str(error))

    @property
    def _prefix(self) -> str:
        return f"chaoskit-{self._run_id}"

    def _connected(self) -> Engine:
        if self._engine is None:
            message = "the docker driver has not been prepared; call prepare first"
            raise SetupFailed(message)
        return self._engine

    def _labels(self, instance: str = "") -> dict[str, str]:
        return containers.labels(self._run_id, self._runner, instance)

    def _making(self, instance: PlannedInstance) -> Making:
        container = self._contained[instance.name]
        place = Place("python", "0.0.0.0", WORKDIR, container.ports)  # noqa: S104 - of the container
        known = values(instance, self._plan, self._layout, place)
        environment = {
            name: fill(template, known, f"environment.{name} of {instance.name}")
            for name, template in instance.environment.items()
        }
        return Making(
            name=f"{self._prefix}.{instance.name.replace('@', '.')}",
            instance=instance.name,
            image=self._images[instance.name].reference,
            planned=container,
            command=[fill(template, known, f"command of {instance.name}") for template in container.command],
            environment={"PYTHONUNBUFFERED": "1", **environment},
            addresses=self._layout.ports[instance.name],
            network=self._networks[instance.region],
            labels=self._labels(instance.name),
            host=self._hosts.get(instance.name),
        )

    def _upstream(self, link: PlannedLink, ports: Mapping[str, Mapping[str, Address]]) -> Address:
        """Where a proxy finds the far end: the container itself, or its published port where it is out of reach."""
        host, container = self._hosts.get(link.destination), self._contained[link.destination]
        return Address(host, container.ports[link.port]) if host else ports[link.destination][link.port]

    def _hear(self, event: Mapping[str, Any]) -> None:
        told = event["Actor"]["Attributes"]
        name = told.get(containers.INSTANCE_LABEL, "")
        if name in self._parts and self._engine is not None:
            self._parts[name].heed(event["Action"], self._engine, int(told.get("exitCode", 0)))

    def _lose_engine(self) -> None:
        message = "the Docker engine has stopped, and the target with it; start it again, then run `chaoskit clean`"
        self._deaths.put_nowait(SetupFailed(message))
