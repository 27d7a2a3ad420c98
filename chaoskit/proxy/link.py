"""One direction of one connection: a source socket, a chain of toxic stages, a sink socket.

    source ──recv──▶ stage ─▶ stage ─▶ … ─▶ sink ──send──▶ socket

With no toxics a chunk goes from `recv` to `send` in one call: no queue, no task, no copy. What cannot be sent
or is held by a toxic is counted, and reading pauses when that passes the link's window. So a stalled reader
costs a bounded amount of memory and never a control call: every operation here returns at once.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from chaoskit.proxy.toxic import Direction, Lot, Toxic
from chaoskit.proxy.toxics import Output, Stage

_RECEIVE_BYTES = 64 * 1024
_WINDOW_BYTES = 256 * 1024


class Sink:
    """The writing end: sends at once what the socket takes, keeps the rest until it is writable again."""

    __slots__ = (
        "_end",
        "_ended",
        "_loop",
        "_pending",
        "_relieve",
        "_send",
        "_socket",
        "held_bytes",
        "sent_bytes",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        target: socket.socket,
        relieve: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._socket = target
        self._relieve = relieve
        self._end = end
        self._send: Callable[[bytes | memoryview], int] = target.send
        self._pending: deque[memoryview] = deque()
        self._ended = False
        self.held_bytes = 0
        self.sent_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Send the chunk, or what the socket takes of it now; the rest is kept."""
        if self._ended:
            return
        if self._pending:
            self._keep(memoryview(chunk))
            return
        try:
            sent = self._send(chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._fail()
            return
        self.sent_bytes += sent
        if sent != len(chunk):
            self._loop.add_writer(self._socket, self._drain)
            self._keep(memoryview(chunk)[sent:])

    def finish(self) -> None:
        """End once all that is kept is sent."""
        if self._ended:
            return
        self._ended = True
        if not self._pending:
            self._complete()

    def discard(self) -> None:
        """Forget what is kept and take no more."""
        if self._pending:
            self._loop.remove_writer(self._socket)
            self._pending.clear()
        self.held_bytes = 0
        self._ended = True

    def _keep(self, rest: memoryview) -> None:
        self._pending.append(rest)
        self.held_bytes += len(rest)

    def _drain(self) -> None:
        pending = self._pending
        try:
            while pending:
                sent = self._send(pending[0])
                self.sent_bytes += sent
                self.held_bytes -= sent
                if sent < len(pending[0]):
                    pending[0] = pending[0][sent:]
                    break
                pending.popleft()
        except BlockingIOError:
            pass  # the socket is full again; what was sent is accounted for
        except OSError:
            self._fail()
            return
        if not pending:
            self._loop.remove_writer(self._socket)
            if self._ended:
                self._complete()
                return
        self._relieve()

    def _fail(self) -> None:
        if not self._ended or self._pending:
            self.discard()
            self._complete()

    def _complete(self) -> None:
        # Deferred: whoever fed the sink may be in the middle of a chain of stages.
        self._loop.call_soon(self._end)


class Link:
    """Reads from `source`, passes data through the stages of its toxics, writes to `target`.

    `on_end` is called once, from the event loop, after the stream has ended at the sink: the source ended and
    all was delivered, or a toxic cut the connection, or the target could not be written to.
    """

    __slots__ = (
        "_closed",
        "_feed",
        "_head",
        "_lot",
        "_on_end",
        "_paused",
        "_reading",
        "_recv",
        "_reset",
        "_stages",
        "_window_bytes",
        "direction",
        "loop",
        "received_bytes",
        "sink",
        "source",
    )

    def __init__(
        self,
        direction: Direction,
        source: socket.socket,
        target: socket.socket,
        lot: Lot,
        on_end: Callable[["Link"], None],
        reset: Callable[[], None],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.direction = direction
        self.source = source
        self.sink = Sink(self.loop, target, self.relieve, self._sink_ended)
        self.received_bytes = 0
        self._lot = lot
        self._on_end = on_end
        self._reset = reset
        self._recv = source.recv
        self._stages: dict[Toxic, Stage[Any]] = {}
        self._head: Output = self.sink
        self._feed = self.sink.feed
        self._window_bytes = _WINDOW_BYTES
        self._reading = True
        self._paused = True
        self._closed = False

    def apply(self, toxics: Sequence[Toxic]) -> None:
        """Make the chain of stages follow the proxy's toxics, in their order.

        Stages that stay keep what they hold. The first call begins to read.
        """
        if self._closed:
            return
        wanted = [toxic for toxic in toxics if toxic.direction is self.direction and toxic.strikes(self._lot)]
        for toxic in [toxic for toxic in self._stages if toxic not in wanted]:
            self._stages.pop(toxic).remove()
        self._stages = {toxic: self._stages.get(toxic) or self._new_stage(toxic) for toxic in wanted}
        outputs: list[Any] = [*self._stages.values(), self.sink]
        for stage, following in pairwise(outputs):
            stage.output = following
        self._head = outputs[0]
        self._feed = self._head.feed
        self._window_bytes = _WINDOW_BYTES + sum(stage.buffer_bytes for stage in self._stages.values())
        for toxic, stage in self._stages.items():
            if stage.attributes is not toxic.attributes:
                stage.update(toxic.attributes)
        self.relieve()

    def end_input(self) -> None:
        """The source has ended (or is of no more use): end the stream after what is on its way."""
        if self._reading:
            self.stop_reading()
            self._head.finish()

    def stop_reading(self) -> None:
        """Read no more from the source, for good."""
        if self._reading:
            self._reading = False
            if not self._paused:
                self.loop.remove_reader(self.source)

    def discard(self) -> None:
        """Stop everything and forget what is held; `on_end` is not called any more."""
        self._closed = True
        self.stop_reading()
        for stage in self._stages.values():
            stage.discard()
        self.sink.discard()

    def reset(self) -> None:
        """Close both sides of the connection with RST, at once."""
        self._reset()

    def random(self, toxic_name: str) -> Random:
        """The seeded generator of a toxic on this direction of this connection."""
        return self._lot.random(toxic_name, self.direction)

    def relieve(self) -> None:
        """Read on if reading was paused and there is room again."""
        if self._paused and self._reading and self._held_bytes() <= self._window_bytes // 2:
            self._paused = False
            self.loop.add_reader(self.source, self._readable)

    def _new_stage(self, toxic: Toxic) -> Stage[Any]:
        return toxic.type.stage(toxic.name, toxic.attributes, self, self.sink)

    def _held_bytes(self) -> int:
        return self.sink.held_bytes + sum(stage.held_bytes for stage in self._stages.values())

    def _readable(self) -> None:
        try:
            chunk = self._recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.end_input()
            return
        if not chunk:
            self.end_input()
            return
        self.received_bytes += len(chunk)
        self._feed(chunk)
        if (self._stages or self.sink.held_bytes) and self._held_bytes() > self._window_bytes:
            self._pause()

    def _pause(self) -> None:
        if self._reading and not self._paused:
            self._paused = True
            self.loop.remove_reader(self.source)

    def _sink_ended(self) -> None:
        if not self._closed:
            self._closed = True
            self.stop_reading()
            for stage in self._stages.values():
                stage.discard()
            self._on_end(self)
