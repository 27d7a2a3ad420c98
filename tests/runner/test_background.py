"""Background tasks end with their block, and their failure ends it."""

import asyncio

import pytest

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
