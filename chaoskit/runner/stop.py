"""A polite request to end a run early."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stop:
    """Set once, with the reason; whoever plays awaits it and winds the run down in order."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.reason: str | None = None
        self.event = "abort"

    def ask(self, reason: str, *, gate: bool = False) -> None:
        """Ask for the end; the first reason stays. `gate`: the baseline was not fit, which is no abort."""
        if self.reason is None:
            self.reason = reason
            self.event = "gate" if gate else "abort"
            self._asked.set()

    async def wait(self) -> str:
        """Wait until somebody asks, and return the reason."""
        await self._asked.wait()
        return self.reason or "asked to stop"

    async def unless_asked(self, coroutine: Coroutine[Any, Any, T]) -> T | None:
        """Return what `coroutine` returns; None where the end was asked for first, and `coroutine` cancelled for it."""
        working = asyncio.create_task(coroutine)
        waiting = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            working.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
        return None if working.cancelled() else working.result()
