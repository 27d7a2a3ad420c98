"""One instance of the docker driver: its container from the making to the end, and what faults do to it."""

import asyncio
import contextlib
import re
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.models.containers import Container

from chaoskit.address import Address
from chaoskit.environment.contract import Death, RunningInstance
from chaoskit.environment.docker import vitals
from chaoskit.environment.docker.container import Making, limits, make
from chaoskit.environment.docker.engine import Engine, unless_gone
from chaoskit.environment.docker.output import Output
from chaoskit.environment.log import quoted, tail
from chaoskit.environment.ready import wait_until_ready
from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.plan.model import PlannedReady
from chaoskit.ports import PortHolder
from chaoskit.records import Vitals

TERMINATE_TIMEOUT_S: Final = 10
END_TIMEOUT_S: Final = 5.0
OUTPUT_TIMEOUT_S: Final = 3.0
STAYS_OPEN_S: Final = 0.2
UNLIMITED_BYTES: Final = 1 << 50  # an engine has no word for lifting a limit of memory: this is more than there is
_PORT_TAKEN: Final = re.compile(r"address already in use|port is already allocated", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _End:
    """What the engine said of an end when it came; `code` is negative where a signal did it."""

    code: int
    out_of_memory: bool


class DockerInstance:
    """Starts one container and acts on it; `report` gets each death nobody asked for.

    Its output goes to `log`. `ports` holds its addresses for it. Calls are made one at a time.
    """

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
        self._memory_limited = False
        self._oom_expected = False
        self._oom_kills = 0
        self._oom_killed = False
        self._let_go: tuple[Address, ...] = ()
        self._end: _End | None = None
        self._reporting: asyncio.Task[None] | None = None

    async def start(self, engine: Engine, ports: PortHolder) -> None:
        """Make and start the container on the addresses that `ports` holds for it, and wait until it is ready.

        Raises:
            SetupFailed: it did not come up; says why, and its last log lines.
        """
        what = f"the container of {self.name} cannot be made"
        self._container = await engine.call(what, lambda: make(engine, self._making))
        await self._begin(engine, ports)

    def heed(self, event: str, engine: Engine, code: int = 0) -> None:
        """Take note of what the engine says has happened to the container: `die`, with its exit code, or `oom`.

        A restart policy may have the container back before anybody can look at it, so what the event says counts.
        """
        if event == "oom":
            self._oom_kills += 1
            self._oom_killed = True
            return
        code = vitals.exit_code(code)
        self._end = _End(code, self._oom_killed and code == -signal.SIGKILL)
        self._oom_killed = False
        self._ended.set()
        self._report_unless_expected(engine)

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
            await engine.call(f"{self.name} cannot be stopped", lambda: _end(container, gently=True))
        await self._drain()

    async def halt(self, engine: Engine, ports: PortHolder, *, gently: bool) -> None:
        """End all processes, by SIGKILL or, `gently`, by SIGTERM first; FaultFailed where the engine does not.

        What `ports` let go of for the container's sake is held again until it is started again.
        """
        self.expect_end()
        self.running = None
        container = self._made()
        await engine.call_or(FaultFailed, f"{self.name} cannot be ended", lambda: _end(container, gently=gently))
        try:
            await asyncio.wait_for(self._ended.wait(), END_TIMEOUT_S)
        except TimeoutError:
            raise FaultFailed(f"{self.name} was ended, and the engine does not say that it has") from None
        if self._reporting is not None:  # it had ended by itself before
            await self._reporting
        await self._drain()
        for address in self._let_go:
            with contextlib.suppress(OSError):  # somebody was quicker; the next start says so
                ports.hold(*address)
        self._let_go = ()

    async def start_again(self, engine: Engine, ports: PortHolder) -> None:
        """Start it with the addresses and files that it had, and wait until it is ready.

        Raises:
            FaultFailed: it did not come up; says why, and its last log lines.
        """
        await self.halt(engine, ports, gently=False)  # what an earlier try may have left
        try:
            await self._begin(engine, ports)
        except SetupFailed as error:
            raise FaultFailed(f"it did not come back: {error}") from error

    async def pause(self, engine: Engine) -> None:
        """Stop every process where it stands; FaultFailed where the engine does not."""
        container = self._made()
        await engine.call_or(FaultFailed, f"{self.name} cannot be paused", lambda: _freeze(container))

    async def resume(self, engine: Engine) -> None:
        """Let every process go on; FaultFailed where the engine does not."""
        container = self._made()
        await engine.call_or(FaultFailed, f"{self.name} cannot go on", lambda: _thaw(container))

    async def limit(self, engine: Engine, cores: float | None, memory_bytes: int | None) -> None:
        """Limit it; None brings its own limit back. FaultFailed where the engine does not."""
        container, planned = self._made(), self._making.planned
        self._memory_limited = memory_bytes is not None
        self._oom_expected |= self._memory_limited
        memory_bytes = memory_bytes or planned.memory_bytes or UNLIMITED_BYTES
        words = {"cpu_quota": -1, **limits(cores or planned.cpus, memory_bytes)}
        what = f"{self.name} cannot be limited"
        if await engine.call_or(FaultFailed, what, lambda: _update(container, words)):
            self._oom_expected = self._memory_limited

    async def vitals(self, engine: Engine) -> Vitals:
        """Look at it; FaultFailed where the engine does not tell."""
        container = self._made()
        what = f"{self.name} cannot be looked at"
        return await engine.call_or(FaultFailed, what, lambda: vitals.look(container, self._oom_kills))

    def _made(self) -> Container:
        if self._container is None:
            raise FaultFailed(f"{self.name} has no container yet; start it first")
        return self._container

    async def _begin(self, engine: Engine, ports: PortHolder) -> None:
        """Start the container and wait until it is ready; a port that cannot be shared is let go for a second try."""
        container, addresses = self._made(), self._making.addresses
        try:
            await self._launch(engine, container)
        except SetupFailed as error:
            if not _PORT_TAKEN.search(str(error)):
                raise
            self._let_go = tuple(addresses.values())
            for address in self._let_go:
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
        await self._note_running(engine)

    async def _note_running(self, engine: Engine) -> None:
        container = self._made()
        process_id = await engine.call(f"{self.name} cannot be inspected", lambda: vitals.process_of(container))
        self.running = RunningInstance(self.name, self._making.addresses, process_id, self._log, container.id)
        self._expected = False
        if self._ended.is_set():  # in the moment since
            self._report_unless_expected(engine)

    async def _launch(self, engine: Engine, container: Container) -> None:
        self._expected = True  # until it is ready, whoever waits for that sees it end
        self._ended.clear()
        self._end = None
        self._oom_expected = self._memory_limited
        await self._drain()
        log = self._log
        self._output = await engine.call(f"the output of {self.name} cannot be read", lambda: Output(container, log))
        await engine.call(f"{self.name} cannot be started", container.start)

    async def _await_ready(self, engine: Engine) -> None:
        """Wait until it is ready; SetupFailed with its last words where it ended before, or was not in time."""
        if self._ready is not None:
            address, path = self._making.addresses[self._ready.port], self._ready.path
            wait = wait_until_ready(address, path, self._ready.timeout_s, stays_open_s=STAYS_OPEN_S)
            await self._unless_ended(engine, wait)

    async def _unless_ended(self, engine: Engine, wait: Coroutine[Any, Any, None]) -> None:
        """Await what raises TimeoutError where the container is not ready in time, but not beyond its end."""
        ready, ended = asyncio.create_task(wait), asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((ended, ready), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                how = str(await self._death(engine, self._end)).removeprefix(self.name).strip()
                raise SetupFailed(f"{self.name} did not come up: it {how}")
            await ready
        except TimeoutError as error:
            raise SetupFailed(f"{self.name} did not become ready: {error}; {quoted(tail(self._log))}") from None
        finally:
            ended.cancel()
            ready.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    def _report_unless_expected(self, engine: Engine) -> None:
        if not self._expected and self.running is not None:
            self._reporting = asyncio.create_task(self._report_death(engine, self._end))

    async def _report_death(self, engine: Engine, end: _End | None) -> None:
        try:
            death = await self._death(engine, end)
        except SetupFailed:
            return  # the engine is gone, and says so itself
        self.running = None
        if not (death.out_of_memory and self._oom_expected):
            self._report(death)

    async def _death(self, engine: Engine, end: _End | None) -> Death:
        container = self._made()
        await self._drain()
        state: Mapping[str, Any] = await engine.call(
            f"{self.name} cannot be inspected", lambda: vitals.state_of(container)
        )
        end = end or _End(vitals.exit_code(int(state["ExitCode"])), False)
        return Death(self.name, end.code, tail(self._log), end.out_of_memory or bool(state["OOMKilled"]))

    async def _drain(self) -> None:
        """Wait for the last of the output."""
        output, self._output = self._output, None
        if output is not None:
            await asyncio.to_thread(output.end, OUTPUT_TIMEOUT_S)


def _end(container: Container, *, gently: bool) -> None:
    """Send SIGKILL, or SIGTERM first; a paused container takes no signal and has to go on before."""
    unless_gone(_thaw, container)
    if gently:
        unless_gone(container.stop, timeout=TERMINATE_TIMEOUT_S)
    elif container.status == "running":
        unless_gone(container.kill)


def _freeze(container: Container) -> None:
    container.reload()
    if container.status == "running":
        container.pause()


def _update(container: Container, words: dict[str, Any]) -> bool:
    """Set limits; return whether the container has lived to see them."""
    container.update(**words)
    container.reload()
    return bool(container.status in {"running", "paused"})


def _thaw(container: Container) -> None:
    container.reload()
    if container.status == "paused":
        container.unpause()
        container.reload()
