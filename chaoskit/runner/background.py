"""Tasks that run beside the main line and end with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from chaoskit.errors import ChaoskitError


@asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run `coroutines` until the block ends, then cancel them; a failing one cancels the block.

    Raises:
        ChaoskitError: the first that one of them, or the block, raised on purpose.
        ExceptionGroup: one of them, or the block, failed otherwise; a run without its observer proves nothing.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except ExceptionGroup as failures:
        meant = _first_meant(failures)
        if meant is None:
            raise
        raise meant from failures


def _first_meant(failures: ExceptionGroup[Exception]) -> ChaoskitError | None:
    for failure in failures.exceptions:
        if isinstance(failure, ChaoskitError):
            return failure
        if isinstance(failure, ExceptionGroup) and (inner := _first_meant(failure)) is not None:
            return inner
    return None
