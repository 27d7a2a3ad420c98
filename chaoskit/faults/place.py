"""A place that faults strike, a link or an instance: which faults are active there, changed one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Action = TypeVar("Action")


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of a place: the ids of its active faults, and a number that grows with every change.

    `changing` is True from the first call of a change to the last; what is seen then belongs to neither side.
    """

    version: int
    faults: frozenset[str]
    changing: bool = False


class Place(Generic[Action]):
    """Active faults by id, each with what it does here. `quiet` is set while there is none."""

    def __init__(self) -> None:
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._actions: dict[str, Action] = {}
        self._condition = Condition(0, frozenset())
        self._turn = asyncio.Lock()

    def condition(self) -> Condition:
        """Return which faults are active, and whether that is about to change."""
        return self._condition

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[None]:
        async with self._turn:
            version = self._condition.version + 1
            self._condition = Condition(version, self._condition.faults, changing=True)
            try:
                yield
            finally:
                self._condition = Condition(version, frozenset(self._actions))
