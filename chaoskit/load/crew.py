"""The load processes of a run as their parent sees them: numbered, each with a line out and a line in."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import chaoskit
from chaoskit.errors import SetupFailed
from chaoskit.load.fleet import Totals
from chaoskit.load.messages import DONE, READY

LINE_BYTES: Final = 16 * 1024 * 1024  # a line with three full histograms has some 20 kB
STOP_WITHIN_S: Final = 3.0
_SILENT_S: Final = 15.0  # a load process says how it is twice a second, whatever happens
_SAID_LINES: Final = 8

Said = tuple[int, bytes | str]
"""A worker's number and its line, `DONE` at its end; or, as text, why no more will come."""


class Crew(Protocol):
    """Load processes, here or elsewhere, that wait to be released."""

    @property
    def pids(self) -> Mapping[str, int]:
        """Those that run on this machine: process id by the name under which its usage is recorded."""
        ...

    def send(self, worker: int, line: bytes) -> None:
        """Say `line` to a worker; one that is gone does not hear it."""
        ...

    def said(self) -> AsyncIterator[Said]:
        """Yield what the workers say, until each has ended or is gone."""
        ...

    def dismiss(self, worker: int) -> None:
        """End a worker at once, whatever it does; nobody listens to it any more."""
        ...

    def account(self, worker: int, totals: Totals) -> None:
        """Let who keeps statistics of its own know what became of the arrivals of a worker that is lost."""
        ...

    async def stop(self) -> None:
        """Stop them all, by force where they take longer than some seconds; does nothing the second time."""
        ...


class PipedCrew:
    """Load processes on this machine, each on its own pair of pipes."""

    def __init__(self, log_folder: Path, environment: Mapping[str, str]) -> None:
        self._log_folder = log_folder
        self._environment = child_environment(environment)
        self._children: list[asyncio.subprocess.Process] = []

    @property
    def pids(self) -> Mapping[str, int]:
        """See `Crew`."""
        return {f"generator@{worker}": child.pid for worker, child in enumerate(self._children)}

    async def start(self, setups: Sequence[bytes], within_s: float) -> None:
        """Start one process for each of `setups` and wait until each is ready to be released.

        Raises:
            SetupFailed: one of them did not become ready; all are stopped again.
        """
        try:
            for worker, setup in enumerate(setups):
                self._children.append(await start_child("chaoskit.load.child", self._log(worker), self._environment))
                self.send(worker, setup)
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(self._ready(worker) for worker in range(len(setups))))
        except TimeoutError as error:
            await self.stop()
            message = f"the load generator was not ready within {within_s:.0f}s; see {self._log_folder}"
            raise SetupFailed(message) from error
        except BaseException:
            await self.stop()
            raise

    def send(self, worker: int, line: bytes) -> None:
        """See `Crew`."""
        send_line(self._children[worker], line)

    async def said(self) -> AsyncIterator[Said]:
        """See `Crew`."""
        queue: asyncio.Queue[Said] = asyncio.Queue()
        readers = [asyncio.create_task(self._read(worker, queue)) for worker in range(len(self._children))]
        try:
            left = len(readers)
            while left:
                worker, line = await queue.get()
                left -= line == DONE or isinstance(line, str)
                yield worker, line
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)
        for reader in readers:
            reader.result()  # what no reader foresaw is raised here, not lost

    def dismiss(self, worker: int) -> None:
        """See `Crew`."""
        send_signal(self._children[worker], signal.SIGKILL)

    def account(self, worker: int, totals: Totals) -> None:
        """See `Crew`: nobody else counts."""

    async def stop(self) -> None:
        """See `Crew`."""
        await stop_children(self._children)

    async def _ready(self, worker: int) -> None:
        child = self._children[worker]
        line = await child.stdout.readline() if child.stdout is not None else b""
        if line != READY:
            raise await did_not_start(f"load process {worker}", child, self._log(worker))

    async def _read(self, worker: int, queue: asyncio.Queue[Said]) -> None:
        child = self._children[worker]
        said: Said = (worker, "has no output")
        try:
            while child.stdout is not None:
                async with asyncio.timeout(_SILENT_S):
                    line = await child.stdout.readline()
                if not line.endswith(b"\n"):  # half a line is as good as none: it was being written at the end
                    said = (worker, f"ended with code {await child.wait()}; see {self._log(worker)}")
                    break
                if line == DONE:
                    said = (worker, DONE)
                    break
                await queue.put((worker, line))
        except TimeoutError:
            said = (worker, f"has said nothing for {_SILENT_S:.0f} s; see {self._log(worker)}")
        except ValueError as error:  # a line over the limit
            said = (worker, f"cannot be understood any more: {error}; see {self._log(worker)}")
        await queue.put(said)

    def _log(self, worker: int) -> Path:
        return self._log_folder / f"load-{worker}.log"


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `environment`, so that children run this very copy of chaoskit."""
    merged = {**os.environ, **environment}
    root = str(Path(chaoskit.__file__).parents[1])
    merged["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [merged.get("PYTHONPATH")])])
    return merged


async def start_child(
    module: str, log: Path, environment: Mapping[str, str], *arguments: str
) -> asyncio.subprocess.Process:
    """Start a module as a child with pipes for standard input and output; its standard error goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment,
            limit=LINE_BYTES,
            start_new_session=True,  # Ctrl-C is for the runner, which stops its children in order
        )


async def did_not_start(name: str, child: asyncio.subprocess.Process, log: Path) -> SetupFailed:
    """Return the error of a child that said something else than that it is ready, with its last words."""
    await asyncio.wait([asyncio.create_task(child.wait())], timeout=1)
    return SetupFailed(f"{name} did not start: {_last_words(log)}")


def _last_words(log: Path) -> str:
    said = log.read_text(errors="replace").strip().splitlines()[-_SAID_LINES:]
    return "\n".join(said) or "it said nothing"


def send_line(child: asyncio.subprocess.Process, line: bytes) -> None:
    """Write a line to a child; one that is gone does not hear it."""
    if child.stdin is not None and not child.stdin.is_closing():
        child.stdin.write(line)


def send_signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to a child that may have ended."""
    if child.returncode is None:
        try:
            child.send_signal(number)
        except ProcessLookupError:
            return  # it ended just now


async def stop_children(children: Sequence[asyncio.subprocess.Process]) -> None:
    """End children in order, by force where they take longer than some seconds; nothing happens the second time."""
    for child in children:
        send_signal(child, signal.SIGTERM)
    waiting = [asyncio.create_task(child.wait()) for child in children]
    if waiting:
        await asyncio.wait(waiting, timeout=STOP_WITHIN_S)
    for child in children:
        send_signal(child, signal.SIGKILL)
    await asyncio.gather(*waiting)
    for child in children:
        if child.stdin is not None:
            child.stdin.close()
