"""Microseconds since the run's zero."""

import time


class RunTime:
    """The load process's clock, in whole microseconds on the monotonic clock; zero is set when the run is released."""

    __slots__ = ("zero_ns",)

    def __init__(self) -> None:
        self.zero_ns = time.monotonic_ns()

    def release(self, zero_s: float) -> None:
        """Set the run's zero: a reading of `time.monotonic()` (of any process of this machine)."""
        self.zero_ns = round(zero_s * 1e9)

    def now_us(self) -> int:
        """Return microseconds since zero; negative before it."""
        return (time.monotonic_ns() - self.zero_ns) // 1000
