"""A call at an instant, to the microsecond, on gevent's loop.

The loop's own timers go through epoll's whole milliseconds; a timerfd is exact and needs no spinning. Where the system
has none (it is Linux's) the loop's timers do, a millisecond late.
"""

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any, Final

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
    """Calls `fired` from the loop at a given reading of `time.monotonic_ns()`, one instant at a time."""

    def __init__(self, fired: Callable[[], None]) -> None:
        self._call = fired
        self._loop: Any = get_hub().loop
        self._is_set = False
        self._watcher: Any = None
        self._descriptor = -1
        library = ctypes.CDLL(None, use_errno=True)
        if hasattr(library, "timerfd_create"):
            self._descriptor = library.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self._descriptor >= 0:
            self._timer = _Timer()
            self._timer_reference = ctypes.byref(self._timer)
            self._set_time = library.timerfd_settime
            self._watcher = self._loop.io(self._descriptor, _READ)
            self._watcher.start(self._expired)

    def call_at(self, instant_ns: int) -> None:
        """Call `fired` when `time.monotonic_ns()` reads `instant_ns`, soon where that is past, and at no other."""
        if self._descriptor >= 0:
            self._is_set = True
            first = self._timer.first
            first.seconds, first.nanoseconds = divmod(instant_ns, _NS)
            self._set_time(self._descriptor, _ABSOLUTE, self._timer_reference, None)
        else:
            if self._watcher is not None:
                self._watcher.close()
            self._watcher = self._loop.timer(max(0, instant_ns - time.monotonic_ns()) / _NS)
            self._watcher.start(self._call)

    def close(self) -> None:
        """Give the timer back; does nothing the second time."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _expired(self) -> None:
        self._is_set = False
        self._call()
        if not self._is_set and self._descriptor >= 0:  # setting it anew makes it unreadable by itself
            os.read(self._descriptor, 8)
