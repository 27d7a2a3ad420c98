"""Observes a run from beside it: every instance's metrics, every process tree, the machine, on one time axis."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.errors import SetupFailed
from chaoskit.observe.containers import ContainerReader
from chaoskit.observe.exposition import parse
from chaoskit.observe.readings import Readings
from chaoskit.observe.scrape import Scraper
from chaoskit.observe.usage import UsageReader, read_host
from chaoskit.plan.model import Plan
from chaoskit.records import Record, RunEvent

CHILDREN_EVERY: Final = 4  # of so many usage samples, one walks all processes of the machine for new children


class Observed(Protocol):
    """What the observer needs of a running instance."""

    @property
    def ports(self) -> Mapping[str, Address]:
        """Where its ports are."""
        ...

    @property
    def process_id(self) -> int | None:
        """The root of its process tree; None where it is not on this machine."""
        ...

    @property
    def container_id(self) -> str | None:
        """Its container, which the engine can be asked about; None where it has none."""
        ...


class Observer:
    """Hands a record of each kind to `emit` every `interval_s`, on a grid that does not drift.

    `instances` are the running instances by name, which may change (one is started again), `processes` other process
    ids by name (`proxy`, `generator@0`). A failed scrape is a gap: counted in `gaps` by instance, noted when it begins
    and when it is over.
    """

    def __init__(
        self,
        plan: Plan,
        instances: Mapping[str, Observed],
        processes: Mapping[str, int],
        *,
        clock: Clock,
        emit: Callable[[Record], None],
        interval_s: float = 0.5,
    ) -> None:
        self.gaps: Counter[str] = Counter()
        self._plan = plan
        self._instances = instances
        self._clock = clock
        self._emit = emit
        self._interval_s = interval_s
        self._processes = processes
        self._containers = {
            name: one.container_id
            for name, one in instances.items()
            if one.container_id is not None and one.process_id is None
        }

    async def run(self) -> None:
        """Observe until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._observe_usage())
            if self._containers:
                group.create_task(self._observe_containers())
            for instance in self._plan.instances:
                metrics = instance.metrics
                if metrics and (serving := self._instances.get(metrics.instance or instance.name)):
                    scraper = Scraper(serving.ports[metrics.port], metrics.path)
                    group.create_task(self._observe_metrics(instance.name, scraper))

    async def _observe_metrics(self, instance: str, scraper: Scraper) -> None:
        readings = Readings(self._plan, instance)
        noted: set[str] = set()
        missed = 0
        try:
            async for _ in self._ticks():
                try:
                    asked_s = self._clock.now_s()
                    text = await scraper.scrape()
                    t_s = (asked_s + self._clock.now_s()) / 2  # the target read its counters somewhere in between
                    records = list(readings.read(parse(text), t_s))
                except (OSError, ValueError) as error:
                    self.gaps[instance] += 1
                    missed += 1
                    if missed == 1:
                        self._note(f"no metrics of {instance}: {error}")
                    continue
                if missed:
                    self._note(f"metrics of {instance} are back after {missed} failed scrapes")
                    missed = 0
                for record in records:
                    self._emit(record)
                for stranger in sorted(readings.strangers - noted):
                    self._note(f"{instance} reports a resource {stranger!r} that its manifest does not name")
                for selector in sorted(readings.lacking.keys() - noted):
                    self._note(readings.lacking[selector])
                noted |= readings.strangers | readings.lacking.keys()
        finally:
            scraper.close()

    async def _observe_usage(self) -> None:
        reader = UsageReader(self._sources())
        count = 0
        async for _ in self._ticks():
            if count % CHILDREN_EVERY == 0:
                reader.follow(self._sources())
                await asyncio.to_thread(reader.find_children)
            count += 1
            for record in await asyncio.to_thread(self._read_usage, reader):
                self._emit(record)

    def _sources(self) -> dict[str, int]:
        own = {name: one.process_id for name, one in self._instances.items() if one.process_id is not None}
        return {**own, **self._processes}

    async def _observe_containers(self) -> None:
        """Ask the engine about the containers whose processes are not on this machine."""
        try:
            reader = await asyncio.to_thread(ContainerReader, self._containers)
        except SetupFailed as error:
            self._note(f"no usage of containers: {error}")
            return
        try:
            async for _ in self._ticks():
                for record in await asyncio.to_thread(lambda: list(reader.read(self._clock.now_s()))):
                    self._emit(record)
        except SetupFailed as error:
            self._note(f"no more usage of containers: {error}")
        finally:
            reader.close()

    def _read_usage(self, reader: UsageReader) -> list[Record]:
        t_s = self._clock.now_s()
        return [read_host(t_s), *reader.read(t_s)]

    async def _ticks(self) -> AsyncIterator[int]:
        """Yield at each point of the grid that is not past yet: a late round skips points and delays none."""
        start_s = self._clock.now_s()
        point = 0
        while True:
            yield point
            late_s = self._clock.now_s() - start_s
            point = max(point + 1, math.ceil(late_s / self._interval_s))
            await asyncio.sleep(start_s + point * self._interval_s - self._clock.now_s())

    def _note(self, detail: str) -> None:
        self._emit(RunEvent(self._clock.now_s(), "note", detail))
