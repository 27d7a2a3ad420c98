"""The wall clock, for what the venue's clients see: timestamps, and ages that cross processes.

Durations inside a process are taken from the monotonic clock instead.
"""

from time import time_ns


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return time_ns() // 1_000_000


def wall_us() -> int:
    """Microseconds since 1970."""
    return time_ns() // 1000
