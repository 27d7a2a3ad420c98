"""The child's ends of the two pipes to its parent, read and written without holding up gevent's loop."""

import os
from typing import Final

from gevent.os import make_nonblocking, nb_read, nb_write

_READ_BYTES: Final = 65536


class LineReader:
    """Reads lines from a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept = b""
        make_nonblocking(descriptor)

    def readline(self) -> bytes:
        """Return the next line with its end; empty when the other side is gone."""
        while b"\n" not in self._kept:
            more: bytes = nb_read(self._descriptor, _READ_BYTES)
            if not more:
                return b""
            self._kept += more
        line, self._kept = self._kept.split(b"\n", 1)
        return line + b"\n"


class Writer:
    """Writes whole lines to a descriptor, in the order of the calls of one greenlet at a time.

    The descriptor is taken over: what prints to standard output by itself (a flow, say) lands on standard error and
    cannot break a record.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        os.dup2(2, descriptor)
        make_nonblocking(self._descriptor)
        self.is_open = True

    def write(self, data: bytes) -> bool:
        """Write `data`; False, then and ever after, once the other side is gone."""
        view = memoryview(data)
        while view and self.is_open:
            try:
                view = view[nb_write(self._descriptor, view) :]
            except BrokenPipeError:
                self.is_open = False
        return self.is_open
