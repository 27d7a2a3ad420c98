"""Who waits for a worker, and who is next: first come first served, or controlled delay as Facebook has it.

Controlled delay (Maurer, "Fail at Scale", ACM Queue 13(8), 2015): where the queue was not empty during the last
N = 100 ms, whoever comes waits for M = 5 ms at most, else for N; and while it stands like that, the newest is next
(adaptive LIFO): the oldest have waited so long that their senders have probably given up. What lowers a trader's risk
is let wait to its deadline and goes first: it is shed last.
"""

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

STANDING_S: Final = 0.100
SHORT_PATIENCE_S: Final = 0.005


@dataclass(slots=True, eq=False)
class Waiter:
    """Who waits since monotonic `arrived_s`; `urgent` is shed last. `turn` gets what was waited for."""

    arrived_s: float
    urgent: bool
    turn: "asyncio.Future[Any]"


class WaitingLine:
    """First come, first served, each until its deadline."""

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    def patience_s(self, now_s: float, *, urgent: bool) -> float:  # noqa: ARG002 - a line's signature
        """How long one that comes now may wait, whatever its deadline."""
        return math.inf

    def add(self, waiter: Waiter) -> None:
        """Let one wait."""
        self._waiters.append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Forget one."""
        self._waiters.remove(waiter)

    def take(self, now_s: float) -> Waiter:  # noqa: ARG002 - a line's signature
        """Who is next at monotonic `now_s`; there must be somebody."""
        return self._waiters.popleft()


class ControlledDelay(WaitingLine):
    """Sheds by how long the line has been standing, not by how long it is."""

    def __init__(self) -> None:
        super().__init__()
        self._urgent: deque[Waiter] = deque()
        self._empty_s = 0.0  # when the line was empty last, if it is not now

    def __len__(self) -> int:
        return len(self._waiters) + len(self._urgent)

    def patience_s(self, now_s: float, *, urgent: bool) -> float:
        """M while the line stands, else N; what is urgent has until its deadline."""
        if urgent:
            return math.inf
        return SHORT_PATIENCE_S if self._stands(now_s) else STANDING_S

    def add(self, waiter: Waiter) -> None:
        """Let one wait."""
        if not len(self):
            self._empty_s = waiter.arrived_s
        (self._urgent if waiter.urgent else self._waiters).append(waiter)

    def remove(self, waiter: Waiter) -> None:
        """Forget one."""
        (self._urgent if waiter.urgent else self._waiters).remove(waiter)

    def take(self, now_s: float) -> Waiter:
        """Who is urgent, oldest first; then the newest where the line stands, else the oldest."""
        if self._urgent:
            return self._urgent.popleft()
        return self._waiters.pop() if self._stands(now_s) else self._waiters.popleft()

    def _stands(self, now_s: float) -> bool:
        return len(self) > 0 and now_s - self._empty_s > STANDING_S
