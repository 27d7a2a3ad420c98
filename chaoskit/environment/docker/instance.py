"""One instance of the docker driver: its container from the making to the removal."""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from docker.models.containers import Container

from chaoskit.address import Address
from chaoskit.environment.contract import Death, RunningInstance
from chaoskit.environment.docker.container import Making, make
from chaoskit.environment.docker.engine import Engine, unless_gone
from chaoskit.environment.docker.output import Output, tail
from chaoskit.environment.ports import PortHolder
from chaoskit.environment.ready import wait_until_ready
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import PlannedReady

TERMINATE_TIMEOUT_S: Final = 10
OUTPUT_TIMEOUT_S: Final = 3.0
STAYS_OPEN_S: Final = 0.2
_PORT_TAKEN: Final = re.compile(r"address already in use|port is already allocated", re.IGNORECASE)
_SIGNALS: Final = range(129, 160)
"""Exit codes by which a container's init says that a signal ended the program: 128 and the signal's number."""


class DockerInstance:
    """Starts one container, knows how it is, and ends it; `report` gets each death nobody asked for."""

    def __init__(self, making: Making, ready: PlannedReady | None, log: Path, report: Callable[[Death], None]) -> None:
        self.name = making.instance
        self.running: RunningInstance | None = None
        self._making = making
        self._ready = ready
        self._log = log
        self._report = report
        self._container: Container | None = None
        self._output: Output | None = None
        self._ended = asyncio.Event()
        self._expected = False
        self._reporting: asyncio.Task[None] | None = None

    async def start(self, engine: Engine, ports: PortHolder) -> None:
        """Make and start the container on the addresses that `ports` holds for it, and wait until it is ready.

        Raises:
            SetupFailed: it did not come up; says why, and its last log lines.
        """
        what = f"the container of {self.name} cannot be made"
        self._container = await engine.call(what, make, engine, self._making)
        await self._begin(engine, ports)

    def heed(self, event: Mapping[str, Any], engine: Engine) -> None:
        """Take note of an event of the container: its end, in particular."""
        if event["Action"] == "die":
            self._ended.set()
            if not self._expected and self.running is not None:
                self._reporting = asyncio.create_task(self._report_death(engine))

    def expect_end(self) -> None:
        """From now on its end is no death: it is asked to stop, or what it needs is."""
        self._expected = True

    async def stop(self, engine: Engine) -> None:
        """End the container, gently first; what of it is left is the driver's to remove."""
        self.expect_end()
        self.running = None
        if self._reporting is not None:
            self._reporting.cancel()
        if (container := self._container) is not None:
            await engine.call(f"{self.name} cannot be stopped", _end, container)
        await self._drain()

    async def _begin(self, engine: Engine, ports: PortHolder) -> None:
        self._expected = False
        container = self._container
        assert container is not None
        addresses = self._making.addresses
        try:
            await self._launch(engine, container)
        except SetupFailed as error:
            if not _PORT_TAKEN.search(str(error)):
                raise
            for address in addresses.values():  # an engine that cannot share a port with its holder gets it alone
                ports.release(address)
            try:
                await self._launch(engine, container)
            except SetupFailed as again:
                if not _PORT_TAKEN.search(str(again)):
                    raise
                taken = ", ".join(str(address) for address in addresses.values())
                message = f"another program took a port of {self.name} ({taken}) before its container could"
                raise SetupFailed(f"{message}; run again: ports are chosen anew") from again
        await self._await_ready(engine)
        process_id = await engine.call(f"{self.name} cannot be inspected", _visible_process, container)
        self.running = RunningInstance(self.name, addresses, process_id, self._log, container.id)
        if self._ended.is_set():  # in the moment since
            self.heed({"Action": "die"}, engine)

    async def _launch(self, engine: Engine, container: Container) -> None:
        self._ended.clear()
        await self._drain()
        self._output = await engine.call(f"the output of {self.name} cannot be read", Output, container, self._log)
        await engine.call(f"{self.name} cannot be started", container.start)

    async def _await_ready(self, engine: Engine) -> None:
        """Wait until it is ready; SetupFailed with its last words where it ended before, or was not in time."""
        if self._ready is None:
            return
        address: Address = self._making.addresses[self._ready.port]
        wait = wait_until_ready(address, self._ready.path, self._ready.timeout_s, stays_open_s=STAYS_OPEN_S)
        ready, ended = asyncio.create_task(wait), asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((ended, ready), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                death = await self._death(engine)
                how = str(death).removeprefix(self.name).strip()
                raise SetupFailed(f"{self.name} did not come up: it {how}")
            await ready
        except TimeoutError as error:
            lines = "\n  ".join(("its last log lines:", *tail(self._log)))
            raise SetupFailed(f"{self.name} did not become ready: {error}; {lines}") from None
        finally:
            ended.cancel()
            ready.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    async def _report_death(self, engine: Engine) -> None:
        try:
            death = await self._death(engine)
        except SetupFailed:
            return  # the engine is gone, and says so itself
        if not self._expected:
            self.running = None
            self._report(death)

    async def _death(self, engine: Engine) -> Death:
        container = self._container
        assert container is not None
        await self._drain()
        state = await engine.call(f"{self.name} cannot be inspected", _state, container)
        code = int(state["ExitCode"])
        return Death(self.name, 128 - code if code in _SIGNALS else code, tail(self._log), bool(state["OOMKilled"]))

    async def _drain(self) -> None:
        """Wait for the last of the output."""
        output, self._output = self._output, None
        if output is not None:
            await asyncio.to_thread(output.end, OUTPUT_TIMEOUT_S)


def _state(container: Container) -> Mapping[str, Any]:
    container.reload()
    state: Mapping[str, Any] = container.attrs["State"]
    return state


def _visible_process(container: Container) -> int | None:
    """Return the process id of the container's first process, if it is a process of this machine; else None."""
    process_id = int(_state(container)["Pid"])
    groups = Path(f"/proc/{process_id}/cgroup")
    try:
        ours = process_id > 0 and str(container.id) in groups.read_text(encoding="utf-8")
    except OSError:
        ours = False
    return process_id if ours else None


def _end(container: Container) -> None:
    """Send SIGTERM, SIGKILL after a while; a paused container cannot take a signal and goes on first."""
    unless_gone(container.reload)
    if container.status == "paused":
        unless_gone(container.unpause)
    unless_gone(container.stop, timeout=TERMINATE_TIMEOUT_S)
