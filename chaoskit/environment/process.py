"""The process driver: each instance of the plan is a child process on loopback."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment import members
from chaoskit.environment.child import KILL_TIMEOUT_S, TERMINATE_TIMEOUT_S
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.leftovers import end_processes
from chaoskit.environment.order import start_waves
from chaoskit.environment.process_instance import ProcessInstance
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import RestoreFailed
from chaoskit.plan.model import Plan
from chaoskit.ports import PortHolder
from chaoskit.records import Vitals

LIMITS: Final = frozenset({"cpu_limit", "memory_limit"})
"""Kinds of faults for which an instance is started in a control group of its own."""


class ProcessDriver:
    """Plays the instances of `plan` as child processes; logs go to `logs`/INSTANCE.log, private files to `workspace`.

    It controls them too, as `chaoskit.faults.control.Control` says: all processes of an instance together. All methods
    belong to one event loop. `workspace` is the caller's to remove, after everything else has stopped.
    """

    def __init__(self, plan: Plan, workspace: Workspace, logs: Path) -> None:
        self._plan = plan
        self._workspace = workspace
        self._logs = logs
        self._ports = PortHolder()
        self._layout = Layout({}, {})
        self._waves = start_waves(plan)
        self._deaths: asyncio.Queue[Death] = asyncio.Queue()
        self._parts = {
            planned.name: ProcessInstance(
                planned, plan, workspace, logs / f"{planned.name}.log", self._deaths.put_nowait
            )
            for planned in plan.instances
        }
        self._started = False

    async def prepare(self) -> Layout:
        """Choose a port for each port of each instance and for each link's proxy, and hold them until `stop`.

        Raises:
            SetupFailed: a fault of the plan limits an instance, and this machine lets nobody limit processes.
        """
        for name in sorted({name for fault in self._plan.faults if fault.kind in LIMITS for name in fault.instances}):
            self._parts[name].make_group()
        ports = {
            instance.name: {port.name: self._ports.hold() for port in instance.ports}
            for instance in self._plan.instances
        }
        links = {
            link.name: LinkAddresses(
                listen=self._ports.hold(self._plan.listen_host(link.name)),
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
        self._started = True
        try:
            for wave in self._waves:
                async with asyncio.TaskGroup() as group:
                    for planned in wave:
                        group.create_task(self._parts[planned.name].start(self._layout, self._ports))
        except BaseExceptionGroup as failures:
            first = failures.exceptions[0]
            await self._stop_after(first)
            raise first from None
        except asyncio.CancelledError as cancelled:
            await self._stop_after(cancelled)
            raise

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """What is up, by name; a live view."""
        return _Running(self._parts)

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
        for part in self._parts.values():
            part.expect_end()
        for wave in reversed(self._waves):
            await asyncio.gather(*(self._parts[planned.name].stop() for planned in wave))
        survivors = await asyncio.to_thread(self._end_strays) if self._started else []
        survivors += [f"the control group of {name}" for name, part in self._parts.items() if not part.remove_group()]
        self._ports.release_all()
        self._started = False
        if survivors:
            message = f"could not stop {'; '.join(survivors)}: not even SIGKILL ended it"
            raise RestoreFailed(message)

    async def halt(self, instance: str, gently: bool) -> None:
        """End all processes of an instance; see `ProcessInstance.halt`."""
        await self._parts[instance].halt(gently=gently)

    async def start_again(self, instance: str) -> None:
        """Start a halted instance as it was; see `ProcessInstance.start_again`."""
        await self._parts[instance].start_again()

    async def pause(self, instance: str) -> None:
        """Stop every process of an instance where it stands; see `ProcessInstance.pause`."""
        await self._parts[instance].pause()

    async def resume(self, instance: str) -> None:
        """Let every process of an instance go on."""
        await self._parts[instance].resume()

    async def limit(self, instance: str, cores: float | None, memory_bytes: int | None) -> None:
        """Limit all processes of an instance together; see `ProcessInstance.limit`."""
        self._parts[instance].limit(cores, memory_bytes)

    async def vitals(self, instance: str) -> Vitals:
        """Look at all processes of an instance."""
        return await self._parts[instance].vitals()

    def _end_strays(self) -> list[str]:
        """End what the instances' processes started and left; return those that nothing can end."""
        strays = members.find(self._workspace.run_id)
        return [str(found) for found in end_processes(strays, TERMINATE_TIMEOUT_S, KILL_TIMEOUT_S)]

    async def _stop_after(self, first: BaseException) -> None:
        """Stop everything because of `first`, which must reach the caller whatever the stopping brings."""
        try:
            await self.stop()
        except RestoreFailed as error:
            first.add_note(str(error))


class _Running(Mapping[str, RunningInstance]):
    """Those parts that are up."""

    def __init__(self, parts: Mapping[str, ProcessInstance]) -> None:
        self._parts = parts

    def __getitem__(self, name: str) -> RunningInstance:
        running = self._parts[name].running
        if running is None:
            raise KeyError(name)
        return running

    def __iter__(self) -> Iterator[str]:
        return (name for name, part in self._parts.items() if part.running is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
