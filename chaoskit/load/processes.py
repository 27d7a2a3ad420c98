"""The runner's side of load: starts the load processes, releases them together, collects what they hand up.

A process that is lost in the middle of the run does not end it: those that are left take its remaining arrivals over.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.load.crew import PipedCrew
from chaoskit.load.ledger import Ledger
from chaoskit.load.messages import DONE, Setup, TakeOver, encode_go
from chaoskit.load.remote import FleetCrew
from chaoskit.plan.model import Plan
from chaoskit.records import Record, RunEvent, SampleBatch, decode

_READY_WITHIN_S: Final = 60.0
_TAKE_OVER_S: Final = 0.25
"""So far ahead of now others take over what a lost process had to play: they must hear of it before it is due."""


class LoadProcesses:
    """The load processes of one run: `start`, `release`, iterate over `records`, `stop`.

    Args:
        plan: What is played; its `generator` says how many processes, and whether they are Locust workers.
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
        self._workers = plan.generator.load_processes
        generator = plan.generator
        under_locust = generator.remote_workers or generator.web or generator.csv
        self._crew: PipedCrew | FleetCrew = (
            FleetCrew(generator, log_folder, environment) if under_locust else PipedCrew(log_folder, environment)
        )
        self._ledger = Ledger(plan, self._workers)
        self._playing: list[int] = []
        self._lost: set[int] = set()
        self._clock = Clock.starting_now()
        self._stopping = False

    @property
    def pids(self) -> Mapping[str, int]:
        """The ids of the processes on this machine, by name (`generator@0`); empty before `start`."""
        return self._crew.pids

    async def start(self) -> None:
        """Start all processes and wait until each is ready to be released.

        Raises:
            SetupFailed: one of them did not become ready; all are stopped again.
        """
        path = self._plan_path.resolve()
        workers = range(self._workers)
        if isinstance(self._crew, FleetCrew):
            await self._crew.start(path, self._entries)
        else:
            setups = [Setup(str(path), worker, self._workers, self._entries).encode() for worker in workers]
            await self._crew.start(setups, _READY_WITHIN_S)
        self._playing = list(workers)

    def release(self, clock: Clock) -> None:
        """Let all processes play; the run's zero is that of `clock` and may lie a little ahead."""
        self._clock = clock
        for worker in self._playing:
            self._crew.send(worker, encode_go(clock.zero_s))

    async def records(self) -> AsyncIterator[Record]:
        """Yield what the processes hand up until all are done.

        For one that dies, falls silent or garbles there is a `worker_lost` event, and what it had to play and never
        handed up is among the samples as failed (`LOST`): over the whole run, what was planned is what is recorded.
        """
        async for worker, said in self._crew.said():
            if worker in self._lost:
                continue
            if isinstance(said, str):
                for record in await self._lose(worker, said):
                    yield record
            elif said == DONE:
                self._playing.remove(worker)
            else:
                try:
                    record = decode(said)
                except ValueError as error:
                    for record in await self._lose(worker, f"cannot be understood any more: {error}"):
                        yield record
                    continue
                if isinstance(record, SampleBatch):
                    self._ledger.add(record)
                yield record

    async def stop(self) -> None:
        """Stop all processes, by force where they take longer than some seconds; does nothing the second time."""
        self._stopping = True
        await self._crew.stop()

    async def _lose(self, worker: int, why: str) -> list[Record]:
        """Let the others take over from a lost process; return what is to be said of it."""
        self._lost.add(worker)
        self._playing.remove(worker)
        self._crew.dismiss(worker)
        lost_s = max(0.0, self._clock.now_s())
        until_s = lost_s
        takers = [] if self._stopping or lost_s >= self._plan.duration_s else list(self._playing)
        if takers:
            until_s += _TAKE_OVER_S
            taken = self._ledger.split(worker, takers, round(until_s * 1e6))
            for place, taker in enumerate(takers):
                self._crew.send(taker, TakeOver(taken[taker], place, len(takers)).encode())
        missing = await asyncio.to_thread(lambda: list(self._ledger.lost(worker, round(until_s * 1e6))))
        count = 0
        for batch in missing:
            if isinstance(batch, SampleBatch):
                self._ledger.add(batch)
                count += sum(batch.failed.values())
        self._crew.account(worker, self._ledger.totals(worker))
        said = f"load process {worker} {why}; {count:,} arrivals were lost with it"
        if takers:
            said += f", and {len(takers)} other{'s' * (len(takers) > 1)} took over from t = {until_s:.2f} s on"
        elif lost_s < self._plan.duration_s and not self._stopping:
            said += ", and nobody was left to take over"
        return [*missing, RunEvent(lost_s, "worker_lost", said)]
