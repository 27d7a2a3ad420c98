"""The runner's side of load: starts the load processes, releases them together, collects what they hand up."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import chaoskit
from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.errors import SetupFailed
from chaoskit.load.messages import DONE, READY, Setup, encode_go
from chaoskit.plan.model import Plan
from chaoskit.records import Record, RunEvent, decode

_LINE_BYTES: Final = 16 * 1024 * 1024  # a line with three full histograms has some 20 kB
_READY_WITHIN_S: Final = 60.0
_STOP_WITHIN_S: Final = 3.0
_SAID_LINES: Final = 8


class LoadProcesses:
    """The load processes of one run: `start`, `release`, iterate over `records`, `stop`.

    Args:
        plan: What is played; its `generator.workers` says how many processes.
        plan_path: The same plan as JSON, for the processes to read.
        entries: Where each of the plan's entry links listens.
        log_folder: Where `load-N.log` (their standard error) goes.
        environment: Variables that the processes have beside those of this one.
    """

    def __init__(
        self,
        plan: Plan,
        plan_path: Path,
        entries: Mapping[str, Address],
        log_folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._plan = plan
        self._plan_path = plan_path
        self._entries = {name: str(entries[name]) for name in plan.entries}
        self._log_folder = log_folder
        self._environment = {**os.environ, **environment}
        root = str(Path(chaoskit.__file__).parents[1])  # the children run this very copy, wherever it lies
        paths = [root, *filter(None, [self._environment.get("PYTHONPATH")])]
        self._environment["PYTHONPATH"] = os.pathsep.join(paths)
        self._children: list[asyncio.subprocess.Process] = []
        self._clock: Clock | None = None

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes' ids, worker 0 first; empty before `start`."""
        return tuple(child.pid for child in self._children)

    async def start(self) -> None:
        """Start all processes and wait until each is ready to be released.

        Raises:
            SetupFailed: one of them did not become ready; all are stopped again.
        """
        workers = max(1, self._plan.generator.workers)
        try:
            for worker in range(workers):
                self._children.append(await self._start_one(worker, workers))
            async with asyncio.timeout(_READY_WITHIN_S):
                await asyncio.gather(*(self._ready(worker) for worker in range(workers)))
        except TimeoutError as error:
            await self.stop()
            message = f"the load generator was not ready within {_READY_WITHIN_S:.0f}s; see {self._log_folder}"
            raise SetupFailed(message) from error
        except BaseException:
            await self.stop()
            raise

    def release(self, clock: Clock) -> None:
        """Let all processes play; the run's zero is that of `clock` and may lie a little ahead."""
        self._clock = clock
        for child in self._children:
            if child.stdin is not None and not child.stdin.is_closing():
                child.stdin.write(encode_go(clock.zero_s))

    async def records(self) -> AsyncIterator[Record]:
        """Yield what the processes hand up until all are done; a `worker_lost` event for one that dies or garbles."""
        queue: asyncio.Queue[Record | None] = asyncio.Queue()
        readers = [asyncio.create_task(self._read(worker, queue)) for worker in range(len(self._children))]
        try:
            left = len(readers)
            while left:
                record = await queue.get()
                if record is None:
                    left -= 1
                else:
                    yield record
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)
        for reader in readers:
            reader.result()  # what no reader foresaw is raised here, not lost

    async def stop(self) -> None:
        """Stop all processes, by force where they take longer than some seconds; does nothing the second time."""
        for child in self._children:
            _signal(child, signal.SIGTERM)
        waiting = [asyncio.create_task(child.wait()) for child in self._children]
        if waiting:
            await asyncio.wait(waiting, timeout=_STOP_WITHIN_S)
        for child in self._children:
            _signal(child, signal.SIGKILL)
        await asyncio.gather(*waiting)
        for child in self._children:
            if child.stdin is not None:
                child.stdin.close()

    async def _start_one(self, worker: int, workers: int) -> asyncio.subprocess.Process:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        with self._log(worker).open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "chaoskit.load.child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                limit=_LINE_BYTES,
                start_new_session=True,  # Ctrl-C is for the runner, which stops its children in order
            )
        if child.stdin is not None:
            child.stdin.write(Setup(str(self._plan_path.resolve()), worker, workers, self._entries).encode())
        return child

    async def _ready(self, worker: int) -> None:
        child = self._children[worker]
        line = await child.stdout.readline() if child.stdout is not None else b""
        if line != READY:
            await asyncio.wait([asyncio.create_task(child.wait())], timeout=1)
            said = self._log(worker).read_text(errors="replace").strip().splitlines()[-_SAID_LINES:]
            message = f"load process {worker} did not start: " + ("\n".join(said) or "it said nothing")
            raise SetupFailed(message)

    async def _read(self, worker: int, queue: asyncio.Queue[Record | None]) -> None:
        child = self._children[worker]
        try:
            while child.stdout is not None and (line := await child.stdout.readline()) and line != DONE:
                await queue.put(decode(line))
            if child.stdout is None or not line:
                await queue.put(self._lost(worker, f"ended with code {await child.wait()}"))
        except ValueError as error:  # a torn line, foreign text, a line over the limit
            await queue.put(self._lost(worker, f"cannot be understood any more: {error}"))
        finally:
            await queue.put(None)

    def _lost(self, worker: int, why: str) -> RunEvent:
        t_s = self._clock.now_s() if self._clock is not None else 0.0
        return RunEvent(t_s, "worker_lost", f"load process {worker} {why}; see {self._log(worker)}")

    def _log(self, worker: int) -> Path:
        return self._log_folder / f"load-{worker}.log"


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if child.returncode is None:
        try:
            child.send_signal(number)
        except ProcessLookupError:
            return  # it ended just now
