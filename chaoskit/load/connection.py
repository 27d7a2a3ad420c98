"""One keep-alive connection on gevent's loop, with as few system calls and switches as an exchange can have.

The read watcher runs from connect to close: an answer wakes the greenlet that waits for it, and a server that hangs
up while nobody waits is noticed at once, so a stale connection is seldom used again.
"""

import errno
import os
import socket
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from gevent import getcurrent, monkey
from gevent.hub import get_hub

from chaoskit.load.answer import Answer, AnswerReader, ExchangeFailed

# Locust patches `socket`; here the loop is driven by hand, so the unpatched class is wanted.
_Socket: Final = monkey.get_original("socket", "socket")
_READ: Final = 1
_WRITE: Final = 2
_MOST_BYTES: Final = 65_536  # read at once
_REASONS: Final = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "connect_timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    # The generator's own limits: nothing was sent.
    errno.EADDRNOTAVAIL: "unsent",
    errno.EMFILE: "unsent",
    errno.ENFILE: "unsent",
    errno.ENOBUFS: "unsent",
}


class Wake(Enum):
    """Why a waiting greenlet goes on."""

    READABLE = "readable"
    WRITABLE = "writable"
    EXPIRED = "expired"


_READABLE: Final = Wake.READABLE
_EXPIRED: Final = Wake.EXPIRED  # attributes of an Enum are slow to look up


class Connection:
    """A connection to one entry. `waiter` is the greenlet that waits for it, None where nobody does."""

    __slots__ = ("_hub", "_listener", "_reading", "_socket", "is_open", "reader", "waiter")

    def __init__(self) -> None:
        self._hub: Any = get_hub()
        self._socket: Any = None
        self._reading: Any = None
        self.reader = AnswerReader()
        self.waiter: Any = None
        self.is_open = False
        self._listener: Callable[[], None] | None = None

    def connect(self, family: int, address: tuple[Any, ...]) -> None:
        """Connect; wait until it is done or `expire` is called.

        Raises:
            ExchangeFailed: `refused`, `reset`, `unreachable`, `connect_timeout` or `unsent`.
        """
        try:
            self._socket = _Socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise ExchangeFailed(reason_of(error.errno)) from error
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(address)
        if code == errno.EINPROGRESS:
            if self._wait_writable() is _EXPIRED:
                self.close()
                reason = "connect_timeout"
                raise ExchangeFailed(reason)
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.close()
            raise ExchangeFailed(reason_of(code))
        self._reading = self._hub.loop.io(self._socket.fileno(), _READ)
        self._reading.start(self._on_readable)
        self.is_open = True

    def exchange(self, data: bytes, *, head_only: bool) -> Answer:
        """Send `data` and return the answer to it.

        Raises:
            ExchangeFailed: `reset`, `closed`, `bad_answer`, or after `expire` `timeout` where nothing of the answer has
                come, `body_timeout` where it has begun.
        """
        reader = self.reader
        reader.expect(head_only=head_only)
        self.send(data)
        while True:
            if self._wait() is _EXPIRED:
                reason = "body_timeout" if reader.started else "timeout"
                raise ExchangeFailed(reason)
            try:
                data = self._socket.recv(_MOST_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ExchangeFailed(reason_of(error.errno)) from error
            answer = reader.feed(data) if data else reader.end()
            if answer is not None:
                return answer

    def receive(self) -> bytes:
        """Wait for something to come and return it; empty where the other side has closed.

        Raises:
            ExchangeFailed: `reset`, or `timeout` after `expire`.
        """
        while True:
            if self._wait() is _EXPIRED:
                reason = "timeout"
                raise ExchangeFailed(reason)
            if (data := self.take()) is not None:
                return data

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called in the hub whenever something has come while nobody waits; it calls `take`."""
        self._listener = listener

    def take(self) -> bytes | None:
        """Return what has come, without waiting: None where that is nothing, empty where the other side has closed.

        Raises:
            ExchangeFailed: `reset`.
        """
        try:
            data: bytes = self._socket.recv(_MOST_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ExchangeFailed(reason_of(error.errno)) from error
        return data

    def put(self, data: bytes) -> int:
        """Send as much of `data` as goes without waiting and return how much that is; the rest is to be given again.

        Raises:
            ExchangeFailed: `reset`.
        """
        try:
            sent: int = self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ExchangeFailed(reason_of(error.errno)) from error
        return sent

    def expire(self) -> bool:
        """Make the greenlet that waits give up now; False where none waits. Call it from the hub only."""
        if self.waiter is None:
            return False
        self._wake(_EXPIRED)
        return True

    def close(self) -> None:
        """Close it; does nothing the second time."""
        self.is_open = False
        if self._reading is not None:
            self._reading.stop()
            self._reading.close()
            self._reading = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, data: bytes) -> None:
        """Send `data`; wait until the other side has room for it.

        Raises:
            ExchangeFailed: `reset`, or `timeout` after `expire`.
        """
        while True:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                raise ExchangeFailed(reason_of(error.errno)) from error
            if sent == len(data):
                return
            data = data[sent:]
            if self._wait_writable() is _EXPIRED:
                reason = "timeout"
                raise ExchangeFailed(reason)

    def _wait(self) -> Wake:
        self.waiter = getcurrent()
        wake: Wake = self._hub.switch()
        return wake

    def _wait_readable(self) -> bool:
        """Wait until something comes; True where `expire` was called before."""
        return self._wait() is _EXPIRED

    def _wait_writable(self) -> Wake:
        if self._reading is not None:
            self._reading.stop()  # an answer that comes before its request is sent waits its turn
        writing = self._hub.loop.io(self._socket.fileno(), _WRITE)
        writing.start(self._wake, Wake.WRITABLE)
        try:
            return self._wait()
        finally:
            writing.stop()
            writing.close()
            if self._reading is not None:
                self._reading.start(self._on_readable)

    def _wake(self, wake: Wake) -> None:
        waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter.switch(wake)

    def _on_readable(self) -> None:
        waiter = self.waiter
        if waiter is None:
            if self._listener is None:  # the server hung up, or talks out of turn
                self.close()
            else:
                self._listener()
        else:
            self.waiter = None
            waiter.switch(_READABLE)


def reason_of(code: int | None) -> str:
    """Return the word under which the system's error `code` is counted."""
    return _REASONS.get(code or 0) or (f"{os.strerror(code).lower()}" if code else "socket error")
