"""The two clocks of a run: a monotonic one for every duration, a wall clock only to label."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class Clock:
    """Seconds since the run's zero, on the system's monotonic clock.

    `zero_s` is a reading of `time.monotonic()`. On Linux that clock is one for all processes of a machine, so a
    child that is handed `zero_s` shares the run's time axis. Tests pass a `read` of their own.
    """

    zero_s: float
    read: Callable[[], float] = time.monotonic

    @classmethod
    def starting_now(cls, read: Callable[[], float] = time.monotonic) -> "Clock":
        """Return a clock whose zero is the present moment."""
        return cls(read(), read)

    def restart(self, zero_s: float) -> None:
        """Move the zero, for everybody who holds this clock: a run's zero is known only once its target is up."""
        self.zero_s = zero_s

    def now_s(self) -> float:
        """Return seconds since zero; negative before it."""
        return self.read() - self.zero_s


def utc_now() -> datetime:
    """Return the wall clock in UTC, for names and labels only, never for durations."""
    return datetime.now(UTC)
