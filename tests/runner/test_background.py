"""Background tasks end with their block, and their failure ends it."""

import asyncio

import pytest

from chaoskit.errors import StoreError
from chaoskit.runner.background import background


async def test_tasks_end_with_the_block() -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with background(forever()):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_a_failing_task_ends_the_block() -> None:
    async def fail() -> None:
        raise ValueError("no observer")

    with pytest.raises(ExceptionGroup) as caught:
        async with background(fail()):
            await asyncio.Event().wait()
    assert caught.group_contains(ValueError, match="no observer")


@pytest.mark.parametrize("place", ["task", "block", "task within a task"])
async def test_an_error_of_the_tree_is_raised_as_itself(place: str) -> None:
    async def fail() -> None:
        raise StoreError("the disk is full")

    async def fail_deeper() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())

    with pytest.raises(StoreError, match="the disk is full"):
        async with background({"task": fail, "task within a task": fail_deeper}.get(place, asyncio.Event().wait)()):
            await (fail() if place == "block" else asyncio.Event().wait())
