import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.clock import Clock
from chaoskit.environment import ProcessDriver, Workspace
from chaoskit.observe import Observer
from chaoskit.plan import Plan
from chaoskit.plan.model import PlannedMapping, PlannedMetrics, PlannedQuantity
from chaoskit.records import FigureSample, HostSample, Record, ResourceSample, RunEvent, UsageSample
from tests.support.small_plan import small_plan

INTERVAL_S = 0.1


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncIterator[ProcessDriver]:
    driver = ProcessDriver(small_plan(), Workspace.create(os.urandom(4).hex(), tmp_path), tmp_path / "logs")
    await driver.prepare()
    await driver.start()
    yield driver
    await driver.stop()


async def observe_until(
    driver: ProcessDriver, enough: Callable[[list[Record]], bool], plan: Plan | None = None
) -> tuple[Observer, list[Record]]:
    """Observe the plan (the small one) until the records are `enough`, then stop observing."""
    records: list[Record] = []
    satisfied = asyncio.Event()

    def emit(record: Record) -> None:
        records.append(record)
        if enough(records):
            satisfied.set()

    observer = Observer(
        plan or small_plan(),
        driver.instances,
        {"generator@0": os.getpid()},
        clock=Clock.starting_now(),
        emit=emit,
        interval_s=INTERVAL_S,
    )
    task = asyncio.create_task(observer.run())
    async with asyncio.timeout(20):
        await satisfied.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return observer, records


def notes(records: list[Record]) -> list[str]:
    return [record.detail for record in records if isinstance(record, RunEvent)]


async def test_everything_is_sampled_on_one_axis(driver: ProcessDriver) -> None:
    def enough(records: list[Record]) -> bool:
        return sum(isinstance(record, HostSample) for record in records) >= 5

    observer, records = await observe_until(driver, enough)
    resources = {record.resource for record in records if isinstance(record, ResourceSample)}
    assert resources == {"toy/front.pool", "toy/store@east.pool", "toy/store@west.pool"}
    sources = {record.source for record in records if isinstance(record, UsageSample)}
    assert sources == {"front", "store@east", "store@west", "generator@0"}
    assert {record.instance for record in records if isinstance(record, FigureSample)} == {"store@east", "store@west"}
    times_s = [record.t_s for record in records if isinstance(record, HostSample)]
    # each sample lies after its point of the grid, never before: the grid does not drift ahead
    assert all(t_s >= index * INTERVAL_S for index, t_s in enumerate(times_s))
    assert observer.gaps == {}
    strangers = [note for note in notes(records) if "'stranger' that its manifest does not name" in note]
    assert len(strangers) == 3


async def test_an_instance_that_dies_leaves_a_gap_that_is_counted_and_noted_once(driver: ProcessDriver) -> None:
    process_id = driver.instances["front"].process_id
    assert process_id is not None
    os.kill(process_id, 9)
    await driver.watch()
    observers: list[Observer] = []

    def enough(records: list[Record]) -> bool:
        return sum(isinstance(one, ResourceSample) and "@east" in one.resource for one in records) >= 4

    observer, records = await observe_until(driver, enough)
    observers.append(observer)
    assert observer.gaps["front"] >= 3
    assert observer.gaps.keys() == {"front"}
    assert len([note for note in notes(records) if note.startswith("no metrics of front: ")]) == 1


async def test_an_exporter_speaks_for_another_instance(driver: ProcessDriver) -> None:
    mapping = PlannedMapping(
        {
            "servers": PlannedQuantity(constant=16),
            "busy": PlannedQuantity(plus=("depth",)),
            "rejections": PlannedQuantity(plus=("refused",)),
        },
        level=True,
    )
    plan = small_plan()
    plan = replace(
        plan,
        instances=tuple(
            replace(one, metrics=PlannedMetrics("http", "/metrics", "store@east")) if one.name == "front" else one
            for one in plan.instances
        ),
        resources=tuple(replace(one, mapping=mapping) if one.instance == "front" else one for one in plan.resources),
    )

    def enough(records: list[Record]) -> bool:
        return len([one for one in records if isinstance(one, ResourceSample) and one.servers == 16]) >= 3

    _, records = await observe_until(driver, enough, plan)
    first, *_, last = [one for one in records if isinstance(one, ResourceSample) and one.resource == "toy/front.pool"]
    assert first.busy_s == 0
    assert last.busy_s == pytest.approx(12 * (last.t_s - first.t_s))
    said = [note for note in notes(records) if note.startswith("toy/front.pool")]
    assert said == ["toy/front.pool: its metrics have no refused, which counts as 0"]
