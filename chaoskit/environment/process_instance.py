"""One instance of the process driver: its child process with all descendants, its control group, its life."""

import asyncio
import contextlib
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from chaoskit.address import Address
from chaoskit.environment import members
from chaoskit.environment.child import KILL_TIMEOUT_S, Child
from chaoskit.environment.contract import Death, Layout, RunningInstance
from chaoskit.environment.control_group import ControlGroup
from chaoskit.environment.labels import INSTANCE, minimal_environment, signal_all
from chaoskit.environment.log import quoted, tail
from chaoskit.environment.ready import wait_until_ready
from chaoskit.environment.template import Place, fill, values
from chaoskit.environment.workspace import Workspace
from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.plan.model import Plan, PlannedInstance
from chaoskit.ports import LOOPBACK, PortHolder, is_listening
from chaoskit.records import Vitals

_PORT_TAKEN: Final = re.compile(r"address (is )?already in use|EADDRINUSE|errno 98\b", re.IGNORECASE)
_LOOK_INTERVAL_S: Final = 0.005


class ProcessInstance:
    """Starts one instance of `plan` and acts on all its processes together; `report` gets each death nobody asked for.

    Its log is `log`, its private files are in `workspace`. Calls are made one at a time.
    """

    def __init__(
        self, planned: PlannedInstance, plan: Plan, workspace: Workspace, log: Path, report: Callable[[Death], None]
    ) -> None:
        self.name = planned.name
        self.running: RunningInstance | None = None
        self._planned = planned
        self._plan = plan
        self._workspace = workspace
        self._log = log
        self._report = report
        self._layout = Layout({}, {})
        self._ports = PortHolder()
        self._child: Child | None = None
        self._group: ControlGroup | None = None
        self._oom_kills_before = 0
        self._paused = False
        self._watchers: list[asyncio.Task[None]] = []

    def make_group(self) -> None:
        """Make the control group in which the instance is then started, so that it can be limited.

        Raises:
            SetupFailed: this machine lets nobody limit processes.
        """
        runner = self._workspace.runner()
        if runner is not None and self._group is None:
            self._group = ControlGroup.create(self._workspace.run_id, runner, self.name)

    async def start(self, layout: Layout, ports: PortHolder) -> None:
        """Start it on the addresses of `layout`, which `ports` holds for it, and wait until it is ready.

        A server that cannot share its port with the holder gets it alone in a second try.

        Raises:
            SetupFailed: it did not come up; says why, and its last log lines.
        """
        self._layout, self._ports = layout, ports
        addresses = layout.ports[self.name]
        death = await self._start_once()
        if death and _says_port_taken(death.log_tail):
            for address in addresses.values():
                ports.release(address)
            death = await self._start_once()
        if death:
            raise SetupFailed(_why(death, tuple(addresses.values())))
        assert self._child is not None
        self.running = RunningInstance(self.name, addresses, self._child.process_id, self._child.log)
        self._watchers.append(asyncio.create_task(self._report_death(self._child)))

    def expect_end(self) -> None:
        """From now on its end is no death: it is asked to stop, or what it needs is."""
        if self._child is not None:
            self._child.stopping = True

    async def stop(self) -> None:
        """End the child; nothing may hold it back. What its processes have left is the driver's to end."""
        self.expect_end()
        if self._group is not None:
            with contextlib.suppress(FaultFailed):  # it only takes longer then
                self._group.limit(None, None)
        if self._paused:
            await self.resume()
        if self._child is not None:
            await self._child.stop()
        for watcher in self._watchers:
            watcher.cancel()
        self._watchers.clear()
        self.running = None

    def remove_group(self) -> bool:
        """Remove the control group, once all processes have ended; return whether none is left."""
        removed = self._group is None or self._group.remove()
        self._group = None if removed else self._group
        return removed

    async def halt(self, *, gently: bool) -> None:
        """End all processes, by SIGKILL or, `gently`, by SIGTERM first.

        Raises:
            FaultFailed: one outlived SIGKILL.
        """
        assert self._child is not None
        self.expect_end()
        self.running = None
        if self._paused and gently:
            await self.resume()
        if gently:
            await self._child.stop()
        survivors = await asyncio.to_thread(self._end_all)
        self._paused = False
        if survivors:
            raise FaultFailed(f"could not end {'; '.join(survivors)}: not even SIGKILL did")
        await self._child.ended()

    async def start_again(self) -> None:
        """Start it on the ports that it had, and wait until it is ready.

        Raises:
            FaultFailed: it did not come up; says why, and its last log lines.
        """
        await self.halt(gently=False)  # what an earlier try may have left
        try:
            await self.start(self._layout, self._ports)
        except SetupFailed as error:
            raise FaultFailed(f"it did not come back: {error}") from error

    async def pause(self) -> None:
        """Stop every process where it stands; FaultFailed where one does not."""
        self._paused = True
        await asyncio.to_thread(members.pause, self._workspace.run_id, self.name)

    async def resume(self) -> None:
        """Let every process go on."""
        await asyncio.to_thread(members.resume, self._workspace.run_id, self.name)
        self._paused = False

    def limit(self, cores: float | None, memory_bytes: int | None) -> None:
        """Limit all processes together; FaultFailed where the kernel refuses, or it was started without a group."""
        if self._group is None:
            raise FaultFailed(f"{self.name} was not started to be limited; declare the limit in the scenario's faults")
        self._group.limit(cores, memory_bytes)

    async def vitals(self) -> Vitals:
        """Look at all processes."""
        assert self._child is not None
        seen = await asyncio.to_thread(members.look, self._child.process_id)
        ended = self._child.exit_code is not None
        return replace(
            seen,
            state="oom_killed" if self._was_killed_by_limit() else "exited" if ended else seen.state,
            peak_bytes=self._group.peak_bytes() if self._group else None,
            oom_kills=self._group.oom_kills() if self._group else None,
            exit_code=self._child.exit_code,
        )

    def _was_killed_by_limit(self) -> bool:
        """Return whether the child has ended after its memory limit had killed a process of it."""
        if self._child is None or self._child.exit_code is None or self._group is None:
            return False
        return self._group.oom_kills() > self._oom_kills_before

    def _end_all(self) -> list[str]:
        """Kill every process of the instance, also one forked meanwhile; return those that nothing can end."""
        deadline_s = time.monotonic() + KILL_TIMEOUT_S
        while left := members.find(self._workspace.run_id, self.name):
            if time.monotonic() > deadline_s:
                return [str(found) for found in left]
            signal_all(left, signal.SIGKILL)
            time.sleep(_LOOK_INTERVAL_S)
        return []

    async def _start_once(self) -> Death | None:
        """Spawn and wait until ready; return how it died where it died first."""
        child = self._child = await self._spawn()
        ready_when = self._planned.ready
        if ready_when is None:
            return None
        address = self._layout.ports[self.name][ready_when.port]
        ending = asyncio.create_task(child.ended())
        ready = asyncio.create_task(wait_until_ready(address, ready_when.path, ready_when.timeout_s))
        try:
            await asyncio.wait((ending, ready), return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                return ending.result()
            await ready
        except TimeoutError as error:
            message = f"{self.name} did not become ready: {error}; {quoted(tail(child.log))}"
            raise SetupFailed(message) from None
        finally:
            ending.cancel()
            ready.cancel()
            await asyncio.gather(ending, ready, return_exceptions=True)
        return None

    async def _spawn(self) -> Child:
        planned, workdir = self._planned, self._workspace.instance_folder(self.name)
        ports = {name: address.port for name, address in self._layout.ports[self.name].items()}
        known = values(planned, self._plan, self._layout, Place(sys.executable, LOOPBACK, str(workdir), ports))
        own = {
            name: fill(template, known, f"environment.{name} of {self.name}")
            for name, template in planned.environment.items()
        }
        command = [fill(template, known, f"command of {self.name}") for template in planned.command]
        if self._group is not None:
            self._oom_kills_before = self._group.oom_kills()
            command = self._group.entering(command)
        return await Child.spawn(
            self.name,
            command,
            environment={
                **minimal_environment(),
                "PYTHONUNBUFFERED": "1",  # so that the last log lines are there when a component dies
                **own,
                **self._workspace.label,
                INSTANCE: self.name,
            },
            directory=Path(planned.directory or workdir),
            log=self._log,
        )

    async def _report_death(self, child: Child) -> None:
        death = await child.ended()
        if not child.stopping and not self._was_killed_by_limit():
            self._report(death)


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
