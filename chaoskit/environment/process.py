"""The process driver: each instance of the plan is a child process on loopback."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment.child import KILL_TIMEOUT_S, TERMINATE_TIMEOUT_S, Child
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.labels import INSTANCE, find_labelled, minimal_environment
from chaoskit.environment.leftovers import end_processes
from chaoskit.environment.order import start_waves
from chaoskit.environment.ports import LOOPBACK, PortHolder, is_listening
from chaoskit.environment.ready import wait_until_ready
from chaoskit.environment.template import Place, fill, values
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.plan.model import Plan, PlannedInstance

_PORT_TAKEN: Final = re.compile(r"address (is )?already in use|EADDRINUSE|errno 98\b", re.IGNORECASE)


class ProcessDriver:
    """Plays the instances of `plan` as child processes; logs go to `logs`/INSTANCE.log, private files to `workspace`.

    All methods belong to one event loop. `workspace` is the caller's to remove, after everything else has stopped.
    """

    def __init__(self, plan: Plan, workspace: Workspace, logs: Path) -> None:
        self._plan = plan
        self._workspace = workspace
        self._logs = logs
        self._ports = PortHolder()
        self._layout = Layout({}, {})
        self._waves = start_waves(plan)
        self._children: dict[str, Child] = {}
        self._instances: dict[str, RunningInstance] = {}
        self._deaths: asyncio.Queue[Death] = asyncio.Queue()
        self._watchers: list[asyncio.Task[None]] = []
        self._spawned: set[str] = set()

    async def prepare(self) -> Layout:
        """Choose a port for each port of each instance and for each link's proxy, and hold them until `stop`."""
        ports = {
            instance.name: {port.name: self._ports.hold() for port in instance.ports}
            for instance in self._plan.instances
        }
        links = {
            link.name: LinkAddresses(
                listen=self._ports.hold(),
                upstream=Address.parse(link.upstream) if link.upstream else ports[link.destination][link.port],
            )
            for link in self._plan.links
        }
        self._layout = Layout(ports, links)
        return self._layout

    async def start(self) -> None:
        """Start wave by wave: an instance starts once all that it links to are ready.

        Raises:
            SetupFailed: one did not come up; says which, why, and its last log lines. Nothing is left running.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for wave in self._waves:
                async with asyncio.TaskGroup() as group:
                    for instance in wave:
                        group.create_task(self._start(instance))
        except BaseExceptionGroup as failures:
            first = failures.exceptions[0]
            await self._stop_after(first)
            raise first from None
        except asyncio.CancelledError as cancelled:
            await self._stop_after(cancelled)
            raise

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """What is up, by name."""
        return dict(self._instances)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Nothing: the plan says it all."""
        return {}

    async def watch(self) -> Death:
        """Return as soon as an instance has died that should be alive; call again for the next one."""
        return await self._deaths.get()

    async def stop(self) -> None:
        """Stop in reverse order, then whatever the instances' processes have left; idempotent.

        Raises:
            RestoreFailed: a process outlived SIGKILL.
        """
        for child in self._children.values():
            child.stopping = True
        for wave in reversed(self._waves):
            await asyncio.gather(*(self._children[one.name].stop() for one in wave if one.name in self._children))
        for watcher in self._watchers:
            watcher.cancel()
        survivors = await asyncio.to_thread(self._end_strays) if self._spawned else []
        self._ports.release_all()
        self._children.clear()
        self._instances.clear()
        self._watchers.clear()
        self._spawned.clear()
        if survivors:
            message = f"could not stop {'; '.join(survivors)}: not even SIGKILL ended it"
            raise RestoreFailed(message)

    def _end_strays(self) -> list[str]:
        """End what the instances' processes started and left; return those that nothing can end."""
        strays = [
            found
            for found in find_labelled()
            if found.label.run_id == self._workspace.run_id and found.label.instance in self._spawned
        ]
        return [str(found) for found in end_processes(strays, TERMINATE_TIMEOUT_S, KILL_TIMEOUT_S)]

    async def _stop_after(self, first: BaseException) -> None:
        """Stop everything because of `first`, which must reach the caller whatever the stopping brings."""
        try:
            await self.stop()
        except RestoreFailed as error:
            first.add_note(str(error))

    async def _start(self, instance: PlannedInstance) -> None:
        """Start one instance; a server that cannot share its port with the holder gets it alone in a second try."""
        addresses = self._layout.ports[instance.name]
        death = await self._start_once(instance)
        if death and _says_port_taken(death.log_tail):
            for address in addresses.values():
                self._ports.release(address)
            death = await self._start_once(instance)
        if death:
            raise SetupFailed(_why(death, tuple(addresses.values())))
        child = self._children[instance.name]
        self._instances[instance.name] = RunningInstance(instance.name, addresses, child.process_id, child.log)
        self._watchers.append(asyncio.create_task(self._report_death(child)))

    async def _start_once(self, instance: PlannedInstance) -> Death | None:
        """Spawn and wait until ready; return how it died where it died first."""
        child = await self._spawn(instance)
        self._children[instance.name] = child
        if instance.ready is None:
            return None
        address = self._layout.ports[instance.name][instance.ready.port]
        ending = asyncio.create_task(child.ended())
        ready = asyncio.create_task(wait_until_ready(address, instance.ready.path, instance.ready.timeout_s))
        try:
            await asyncio.wait((ending, ready), return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ending.result()
            await ready
        except TimeoutError as error:
            tail = "\n  ".join(("its last log lines:", *child.log_tail()))
            message = f"{instance.name} did not become ready: {error}; {tail}"
            raise SetupFailed(message) from None
        finally:
            ending.cancel()
            ready.cancel()
            await asyncio.gather(ending, ready, return_exceptions=True)
        return None

    async def _spawn(self, instance: PlannedInstance) -> Child:
        workdir = self._workspace.instance_folder(instance.name)
        ports = {name: address.port for name, address in self._layout.ports[instance.name].items()}
        known = values(instance, self._plan, self._layout, Place(sys.executable, LOOPBACK, str(workdir), ports))
        own = {
            name: fill(template, known, f"environment.{name} of {instance.name}")
            for name, template in instance.environment.items()
        }
        self._spawned.add(instance.name)
        return await Child.spawn(
            instance.name,
            [fill(template, known, f"command of {instance.name}") for template in instance.command],
            environment={
                **minimal_environment(),
                "PYTHONUNBUFFERED": "1",  # so that the last log lines are there when a component dies
                **own,
                **self._workspace.label,
                INSTANCE: instance.name,
            },
            directory=Path(instance.directory or workdir),
            log=self._logs / f"{instance.name}.log",
        )

    async def _report_death(self, child: Child) -> None:
        death = await child.ended()
        if not child.stopping:
            self._deaths.put_nowait(death)


def _says_port_taken(log_tail: Sequence[str]) -> bool:
    return any(_PORT_TAKEN.search(line) for line in log_tail)


def _why(death: Death, addresses: Sequence[Address]) -> str:
    """Say why an instance did not come up, with a plain word where another program has its port."""
    taken = [str(address) for address in addresses if is_listening(address)]
    if taken and _says_port_taken(death.log_tail):
        return (
            f"another program took {', '.join(taken)} before {death.instance} could; run again: ports are chosen anew"
        )
    return f"{death.instance} did not come up: it {str(death).removeprefix(death.instance).strip()}"
