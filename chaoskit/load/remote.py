"""Load processes that are Locust workers: a Locust master beside the runner, workers here or on other machines."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.crew import (
    Said,
    child_environment,
    did_not_start,
    send_line,
    send_signal,
    start_child,
    stop_children,
)
from chaoskit.load.fleet import (
    MasterSetup,
    Totals,
    check_free,
    decode_gone,
    decode_listening,
    encode_gone,
    encode_lost,
    numbered,
    split_number,
)
from chaoskit.load.messages import DONE, READY
from chaoskit.plan.model import GeneratorPlan

_COME_WITHIN_S: Final = 120.0
_LOOPBACK: Final = "127.0.0.1"


def check_addresses(generator: GeneratorPlan) -> None:
    """Check before anything is started that workers can be awaited, and Locust's page be shown, where the plan says.

    Raises:
        SetupFailed: an address is in use, or not this machine's.
    """
    wanted = [generator.listen] if generator.remote_workers else []
    for text in [*wanted, *filter(None, [generator.web])]:
        check_free(Address.parse(text))


class FleetCrew:
    """Workers of a Locust master: those of other machines where the plan expects them, else processes on this one."""

    def __init__(self, generator: GeneratorPlan, log_folder: Path, environment: Mapping[str, str]) -> None:
        self._generator = generator
        self._log_folder = log_folder
        self._environment = child_environment(environment)
        self._master: asyncio.subprocess.Process | None = None
        self._locals: list[asyncio.subprocess.Process] = []

    @property
    def pids(self) -> Mapping[str, int]:
        """See `Crew`; the master is one of them."""
        locals_ = {f"generator@{worker}": child.pid for worker, child in enumerate(self._locals)}
        return locals_ if self._master is None else {**locals_, "generator@master": self._master.pid}

    async def start(self, plan_path: Path, entries: Mapping[str, str]) -> None:
        """Start the master, and workers where none are expected from elsewhere; wait until all are there and ready.

        Raises:
            SetupFailed: they did not come in time, one cannot play the plan, or the master cannot listen.
        """
        generator = self._generator
        at = Address.parse(generator.listen) if generator.remote_workers else Address(_LOOPBACK, 0)
        setup = MasterSetup(
            str(plan_path), generator.load_processes, entries, at.host, at.port, generator.web, generator.csv
        )
        try:
            check_free(at)
            self._master = await start_child("chaoskit.load.master", self._log("master"), self._environment)
            send_line(self._master, setup.encode())
            async with asyncio.timeout(_COME_WITHIN_S):
                await self._come(self._master, at)
        except TimeoutError as error:
            await self.stop()
            message = (
                f"{generator.load_processes} load workers were expected at {at} and did not all come and get ready "
                f"within {_COME_WITHIN_S:.0f}s; start each with `chaoskit worker --master {at}`"
            )
            raise SetupFailed(message) from error
        except BaseException:
            await self.stop()
            raise

    async def _come(self, master: asyncio.subprocess.Process, at: Address) -> None:
        assert master.stdout is not None
        line = await master.stdout.readline()
        try:
            port = decode_listening(line)
        except ValueError as error:
            raise await did_not_start("the Locust master", master, self._log("master")) from error
        if not self._generator.remote_workers:
            for worker in range(self._generator.load_processes):
                arguments = (str(Address(at.host, port)), str(worker))
                log = self._log(str(worker))
                self._locals.append(await start_child("chaoskit.load.worker", log, self._environment, *arguments))
        while (line := await master.stdout.readline()) != READY:
            if not line:
                raise await did_not_start("the Locust master", master, self._log("master"))
            worker, said = split_number(line)
            why = decode_gone(said)
            if why is not None:
                message = f"load worker {worker} cannot play this plan: {why}"
                raise SetupFailed(message)

    def send(self, worker: int, line: bytes) -> None:
        """See `Crew`."""
        if self._master is not None:
            send_line(self._master, numbered(worker, line))

    async def said(self) -> AsyncIterator[Said]:
        """See `Crew`."""
        left = set(range(self._generator.load_processes))
        output = self._master.stdout if self._master is not None else None
        while left and output is not None and (line := await output.readline()).endswith(b"\n"):
            worker, said = split_number(line)
            why = decode_gone(said)
            if said == DONE or why is not None:
                left.discard(worker)
            yield worker, said if why is None else why
        for worker in sorted(left):
            yield worker, f"cannot be heard any more: the Locust master ended; see {self._log('master')}"

    def dismiss(self, worker: int) -> None:
        """See `Crew`."""
        if worker < len(self._locals):
            send_signal(self._locals[worker], signal.SIGKILL)
        self.send(worker, encode_gone("dismissed"))

    def account(self, worker: int, totals: Totals) -> None:
        """See `Crew`: Locust's own totals are the master's."""
        self.send(worker, encode_lost(totals))

    async def stop(self) -> None:
        """See `Crew`."""
        if self._master is not None:
            await stop_children([self._master])  # it tells the workers, and passes on what they still have
        await stop_children(self._locals)

    def _log(self, name: str) -> Path:
        return self._log_folder / f"load-{name}.log"
