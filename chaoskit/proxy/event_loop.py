"""The event loop of the proxy: asyncio's own, with timers finer than a millisecond.

`epoll_wait` counts its timeout in whole milliseconds, so a timer goes off up to 1 ms late. On Linux the
selector here waits for ever and lets a timer file descriptor (`timerfd_create(2)`, nanosecond grain) end the
wait. Where there is none (macOS: `kqueue` takes nanoseconds by itself), asyncio's default loop is right.

Why not uvloop: the data path calls `recv` and `send` on the sockets itself, from reader callbacks. That way
asyncio's loop carries twice the small requests of uvloop's transports, whose timers have a grain of 1 ms.
"""

import asyncio
import ctypes
import os
import selectors
import sys
import time

_SECOND_NS = 1_000_000_000
_ABSOLUTE_TIME = 1  # TFD_TIMER_ABSTIME of <sys/timerfd.h>
_ALREADY_ARMED_S = 5e-6
"""An armed timer that ends this close to what is asked for is left alone: one system call saved per turn."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSetting(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _Timer:
    """A one-shot timer that makes a file descriptor readable. Linux only; OSError where it cannot be had."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._library.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._setting = _TimerSetting()
        self._setting_address = ctypes.byref(self._setting)

    def arm(self, until_s: float) -> None:
        """Make the descriptor readable at `until_s` of `time.monotonic`; replaces what was armed before.

        An absolute time, so that a process that is held up just before the call is not held up twice.
        """
        value = self._setting.value
        value.seconds, value.nanoseconds = divmod(int(until_s * _SECOND_NS), _SECOND_NS)
        self._library.timerfd_settime(self.fd, _ABSOLUTE_TIME, self._setting_address, None)

    def acknowledge(self) -> None:
        """Make the descriptor unreadable again."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return  # armed anew since it went off: nothing to read, and nothing lost

    def close(self) -> None:
        os.close(self.fd)


if sys.platform == "linux":

    class PreciseSelector(selectors.EpollSelector):
        """An epoll selector whose timeouts are kept to some tens of microseconds."""

        def __init__(self) -> None:
            super().__init__()
            self.timer = _Timer()
            self._armed_until_s = 0.0

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Wait at most `timeout` seconds (None: for ever). The timer is among what is returned."""
            if timeout is not None and timeout > 0:
                now_s = time.monotonic()
                until_s = now_s + timeout
                if self._armed_until_s <= now_s or abs(self._armed_until_s - until_s) > _ALREADY_ARMED_S:
                    self.timer.arm(until_s)
                    self._armed_until_s = until_s
                timeout = None
            return super().select(timeout)

        def close(self) -> None:
            """Close the timer, then the epoll descriptor."""
            super().close()
            self.timer.close()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A fresh event loop, fit for `asyncio.Runner(loop_factory=new_event_loop)`."""
    if sys.platform != "linux":
        return asyncio.SelectorEventLoop()
    selector = PreciseSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.add_reader(selector.timer.fd, selector.timer.acknowledge)
    return loop
