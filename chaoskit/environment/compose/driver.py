"""The compose driver: services of a user's compose file, up beside the user's own, each declared link proxied."""

import asyncio
import json
import os
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment.compose.command import ComposeCommand, find_command
from chaoskit.environment.compose.engine import Engine, Seen
from chaoskit.environment.compose.rearrangement import Component, Detour, Rearrangement
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.order import start_waves
from chaoskit.environment.ports import PortHolder
from chaoskit.environment.ready import wait_until_ready
from chaoskit.environment.template import Place, fill, values
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import RestoreFailed, SetupFailed, UsageError
from chaoskit.plan.model import Plan, PlannedInstance, PlannedLink, PlannedReady

CLIENT: Final = "client"
FILE: Final = "compose.yaml"
HEALTH_TIMEOUT_S: Final = 120.0
POLL_INTERVAL_S: Final = 0.2
LOG_TAIL_LINES: Final = 12


class ComposeDriver:
    """Plays the services of `plan.compose` as a compose project of the run's own; see `Rearrangement`.

    All methods belong to one event loop. `workspace` is the caller's to remove, after everything else has stopped.
    """

    def __init__(self, plan: Plan, workspace: Workspace, logs: Path) -> None:
        assert plan.compose is not None
        self._plan = plan
        self._compose = plan.compose
        self._workspace = workspace
        self._logs = logs
        self._file = workspace.folder / FILE
        self._project = f"chaoskit-{workspace.run_id.lower()}"
        self._ports = PortHolder()
        self._layout = Layout({}, {})
        self._resolved: dict[str, Any] = {}
        self._command: ComposeCommand | None = None
        self._engine: Engine | None = None
        self._instances: dict[str, RunningInstance] = {}
        self._dead: set[str] = set()

    async def prepare(self) -> Layout:
        """Read the files, make each link's network, choose the addresses and hold them.

        Raises:
            UsageError: the files are invalid, or lack what the target names.
            SetupFailed: there is no compose or no engine, or an address is taken.
        """
        words = await find_command()
        self._command = ComposeCommand(words, self._project, self._compose.files, self._compose.profiles)
        self._resolved = await self._command.resolve()
        self._check()
        self._engine = await asyncio.to_thread(Engine, self._workspace.run_id, str(self._workspace.runner()))
        ports = {
            instance.name: {port.name: self._ports.hold() for port in instance.ports}
            for instance in self._plan.instances
        }
        links, detours = {}, {}
        for index, link in enumerate(self._plan.links):
            upstream = ports[link.destination][link.port]
            if link.source == CLIENT:
                links[link.name] = LinkAddresses(self._ports.hold(), upstream)
                continue
            network = f"{self._project}-link-{index}"
            gateway = await asyncio.to_thread(self._engine.make_network, network)
            links[link.name] = LinkAddresses(self._hold_gateway(link, gateway), upstream)
            detours[link.name] = Detour(network, gateway, self._service_of(link.destination))
        self._layout = Layout(ports, links)
        self._write(detours)
        return self._layout

    async def start(self) -> None:
        """Start the services in the order of the links, then the rest of the file, and wait until each is ready.

        Raises:
            SetupFailed: one did not come up; says which, why, and its last log lines. Nothing is left running.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            if any(service.get("build") for service in self._resolved["services"].values()):
                await self._call("build")
            await self._up(self._before_components())
            for wave in start_waves(self._plan):
                await self._up([instance.service or instance.name for instance in wave])
                await asyncio.gather(*(self._until_ready(instance) for instance in wave))
            await self._up([])
        except BaseException as first:
            await self._stop_after(first)
            raise

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """What is up, by name."""
        return dict(self._instances)

    async def watch(self) -> Death:
        """Return as soon as an instance has died that should be alive; call again for the next one."""
        while True:
            for name, seen in (await self._seen()).items():
                if name in self._instances and name not in self._dead and seen.status in {"exited", "dead"}:
                    self._dead.add(name)
                    return Death(name, seen.exit_code, await self._log_tail(seen))
            await asyncio.sleep(POLL_INTERVAL_S)

    async def stop(self) -> None:
        """Keep the logs, then remove the project's containers, networks and volumes; idempotent.

        Raises:
            RestoreFailed: something stays in the engine.
        """
        self._ports.release_all()
        engine, self._engine = self._engine, None
        self._instances.clear()
        if engine is None:
            return
        try:
            await asyncio.to_thread(self._keep_logs, engine)
            await asyncio.to_thread(engine.remove_all)
        finally:
            engine.close()

    def _check(self) -> None:
        """Raise UsageError for a service that the file lacks, or whose links nobody can re-point."""
        services = self._resolved["services"]
        files = ", ".join(self._compose.files)
        for instance in self._plan.instances:
            service = services.get(instance.service)
            if service is None:
                known = ", ".join(sorted(services))
                raise UsageError(f"{files} has no service {instance.service!r}; it has {known}")
            if mode := service.get("network_mode"):
                message = f"the service {instance.service!r} of {files} has `network_mode: {mode}`, so it has no ports"
                raise UsageError(f"{message} and links of its own; leave it out of the target, or give it a network")

    def _service_of(self, instance: str) -> str:
        return next(one.service or one.name for one in self._plan.instances if one.name == instance)

    def _hold_gateway(self, link: PlannedLink, gateway: str) -> Address:
        """Hold the address that the near end will find instead of the far end: its own port on the link's gateway."""
        far = next(one for one in self._plan.instances if one.name == link.destination)
        number = _numbers(far)[link.port]
        try:
            return self._ports.hold(gateway, number)
        except OSError as error:
            message = f"link {link.name}: the proxy cannot listen on {gateway}:{number} ({error.strerror})"
            mend = (
                f"a program of this machine has port {number} on all addresses; stop it, or let it listen on 127.0.0.1"
            )
            raise SetupFailed(f"{message}: {mend}") from error

    def _write(self, detours: Mapping[str, Detour]) -> None:
        components = {}
        for instance in self._plan.instances:
            links = [link.name for link in self._plan.links if link.source == instance.name]
            addresses = self._layout.ports[instance.name]
            components[instance.service or instance.name] = Component(
                instance.name,
                {number: addresses[port] for port, number in _numbers(instance).items()},
                self._environment(instance),
                tuple(detours[name] for name in links),
            )
        arguments = (pair.partition("=") for pair in os.environ.get("CHAOSKIT_BUILD_ARGS", "").split())
        rearrangement = Rearrangement(
            self._workspace.run_id,
            str(self._workspace.runner()),
            Path(self._compose.files[0]).parent,
            components,
            {name: value for name, _, value in arguments},
            os.environ.get("CHAOSKIT_BUILD_NETWORK"),
        )
        config = rearrangement.of(self._resolved)
        # JSON is YAML that reads the same by every version of it
        self._file.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")

    def _environment(self, instance: PlannedInstance) -> dict[str, str]:
        place = Place("python", "0.0.0.0", "/tmp", _numbers(instance))  # noqa: S104, S108 - seen in the container
        known = values(instance, self._plan, self._layout, place)
        return {
            name: fill(template, known, f"environment.{name} of {instance.name}")
            for name, template in instance.environment.items()
        }

    def _before_components(self) -> list[str]:
        """Return the services that no component is and that need none: components may need them."""
        services = self._resolved["services"]
        ours = {instance.service for instance in self._plan.instances}
        return [
            name
            for name, service in services.items()
            if name not in ours and not service.get("profiles") and ours.isdisjoint(_needs(name, services))
        ]

    async def _up(self, services: Iterable[str]) -> None:
        await self._call("up", "--detach", "--no-build", *services)

    async def _call(self, *arguments: str) -> None:
        assert self._command is not None
        await self._command.run(self._file, self._logs / "compose.log", *arguments)

    async def _until_ready(self, instance: PlannedInstance) -> None:
        """Wait for the service's own health check, else for what the manifest says, else for a connection."""
        seen = (await self._seen()).get(instance.name)
        if seen is None:
            raise SetupFailed(f"{instance.name} did not come up: compose started no container of it")
        ready = instance.ready
        addresses = self._layout.ports[instance.name]
        if seen.health or ready is None:
            waiting = self._until_healthy(instance, ready.timeout_s if ready else HEALTH_TIMEOUT_S)
        else:
            waiting = self._until_answering(instance, addresses[ready.port], ready)
        await self._unless_dead(instance, waiting)
        seen = (await self._seen())[instance.name]
        self._instances[instance.name] = RunningInstance(instance.name, addresses, seen.process_id, None)

    async def _until_answering(self, instance: PlannedInstance, address: Address, ready: PlannedReady) -> None:
        try:
            await wait_until_ready(address, ready.path, ready.timeout_s)
        except TimeoutError as error:
            raise SetupFailed(await self._not_ready(instance, str(error))) from None

    async def _until_healthy(self, instance: PlannedInstance, timeout_s: float) -> None:
        """Wait until the health check passes; a service that has none is ready once it runs."""
        try:
            async with asyncio.timeout(timeout_s):
                while (seen := (await self._seen())[instance.name]).health not in {"", "healthy"}:
                    if seen.health == "unhealthy":
                        raise SetupFailed(await self._not_ready(instance, "its health check fails"))
                    await asyncio.sleep(POLL_INTERVAL_S)
        except TimeoutError:
            message = f"its health check has not passed after {timeout_s:g}s"
            raise SetupFailed(await self._not_ready(instance, message)) from None

    async def _unless_dead(self, instance: PlannedInstance, waiting: Coroutine[Any, Any, None]) -> None:
        """Await `waiting`, but not beyond the death of a container that will not be started again."""
        task = asyncio.create_task(waiting)
        try:
            while not (await asyncio.wait({task}, timeout=POLL_INTERVAL_S))[0]:
                seen = (await self._seen())[instance.name]
                if seen.status in {"exited", "dead"} and not seen.restarts:
                    death = Death(instance.name, seen.exit_code, await self._log_tail(seen))
                    raise SetupFailed(f"{instance.name} did not come up: it {str(death).partition(' ')[2]}")
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _not_ready(self, instance: PlannedInstance, why: str) -> str:
        tail = await self._log_tail((await self._seen())[instance.name])
        return f"{instance.name} did not become ready: {why}; " + "\n  ".join(("its last log lines:", *tail))

    async def _seen(self) -> dict[str, Seen]:
        assert self._engine is not None
        return await asyncio.to_thread(self._engine.seen)

    async def _log_tail(self, seen: Seen) -> tuple[str, ...]:
        assert self._engine is not None
        log = await asyncio.to_thread(self._engine.log, seen.id, LOG_TAIL_LINES)
        return tuple(line for line in log.decode(errors="replace").splitlines() if line.strip())

    def _keep_logs(self, engine: Engine) -> None:
        for name, seen in engine.seen().items():
            (self._logs / f"{name}.log").write_bytes(engine.log(seen.id))

    async def _stop_after(self, first: BaseException) -> None:
        """Stop everything because of `first`, which must reach the caller whatever the stopping brings."""
        try:
            await self.stop()
        except RestoreFailed as error:
            first.add_note(str(error))


def _numbers(instance: PlannedInstance) -> Mapping[str, int]:
    """Return the ports of an instance as its container has them."""
    return instance.container.ports if instance.container else {}


def _needs(service: str, services: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the services that `service` depends on, directly or not."""
    found: set[str] = set()
    waiting = [service]
    while waiting:
        here = services.get(waiting.pop(), {})
        links = [str(link).partition(":")[0] for link in here.get("links") or ()]
        waiting += (new := {*(here.get("depends_on") or ()), *links} - found)
        found |= new
    return found
