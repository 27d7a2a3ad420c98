"""Sleep to the microsecond on gevent's loop.

The loop's own timers go through epoll's whole milliseconds; a timerfd is exact and needs no spinning. Where the system
has none (it is Linux's) the loop's timers do, a millisecond late.
"""

import ctypes
import os
import time
from typing import Any, Final

import gevent
from gevent import getcurrent
from gevent.hub import get_hub

_READ: Final = 1
_NONBLOCK: Final = os.O_NONBLOCK
_CLOEXEC: Final = os.O_CLOEXEC if hasattr(os, "O_CLOEXEC") else 0
_ABSOLUTE: Final = 1  # TFD_TIMER_ABSTIME of timerfd_settime(2)
_NS: Final = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("first", _Timespec))


class Pacer:
    """Wakes one greenlet at given readings of `time.monotonic_ns()`."""

    def __init__(self) -> None:
        self._hub: Any = get_hub()
        self._library = ctypes.CDLL(None, use_errno=True)
        self._timer = _Timer()
        self._waiter: Any = None
        self._watcher: Any = None
        self._descriptor = -1
        if hasattr(self._library, "timerfd_create"):
            self._descriptor = self._library.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self._descriptor >= 0:
            self._watcher = self._hub.loop.io(self._descriptor, _READ)
            self._watcher.start(self._fired)

    def sleep_until(self, instant_ns: int) -> None:
        """Sleep until `time.monotonic_ns()` reads `instant_ns`; only lets others run where that is past."""
        ahead_ns = instant_ns - time.monotonic_ns()
        if ahead_ns <= 0 or self._watcher is None:
            gevent.sleep(max(0, ahead_ns) / _NS)
            return
        first = self._timer.first
        first.seconds, first.nanoseconds = divmod(instant_ns, _NS)
        self._waiter = getcurrent()
        self._library.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(self._timer), None)
        try:
            self._hub.switch()
        finally:
            self._waiter = None

    def close(self) -> None:
        """Give the timer back; does nothing the second time."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _fired(self) -> None:
        os.read(self._descriptor, 8)  # else the descriptor stays readable
        if self._waiter is not None:
            self._waiter.switch()
