"""What the subscribers of one stream at one entry receive, counted by the second in which it came."""

import time
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import orjson

from chaoskit.plan.flow import MessageAge
from chaoskit.records import Histogram, MessageBatch

_SECOND_US: Final = 1_000_000


class Listener(Protocol):
    """A subscriber while it listens: `last_us` is when its last message came, `longest_us` how long it was without one
    at most, where a message ended that in this second.
    """

    last_us: int
    longest_us: int

    def leave(self) -> None:
        """End the subscription, as its holder wishes."""


class Feed:
    """Measures what its listeners get. A second is closed when it is over, also where nothing came in it.

    A message counts that holds `expect`; `age` says where it carries the time at which it was made. Instants are
    microseconds of the run.
    """

    def __init__(self, place: tuple[str, str, int], expect: str = "", age: MessageAge | None = None) -> None:
        self._stream, self._entry, self._worker = place
        self._expect = expect.encode()
        self._unit_ns = 0.0 if age is None else age.unit_s * 1e9
        self._fields: Sequence[str] = () if age is None else age.field.split(".")
        self._listeners: dict[Listener, None] = {}
        self._over: list[MessageBatch] = []
        self._second = 0
        self._edge_us = _SECOND_US
        self.ended = False
        self._begin()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def counts(self, message: bytes) -> bool:
        """Return whether `message` is one that was subscribed to, and no confirmation or sign of life."""
        return self._expect in message

    def open(self, listener: Listener, now_us: int) -> None:
        """Let `listener` listen from now on."""
        self._turn(now_us)
        listener.last_us, listener.longest_us = now_us, 0
        self._listeners[listener] = None
        self._opened += 1

    def hear(self, listener: Listener, message: bytes, now_us: int) -> None:
        """Count a message to `listener`, where it counts."""
        if self._expect not in message:
            return
        if now_us >= self._edge_us:
            self._turn(now_us)
        self._messages += 1
        self._size_bytes += len(message)
        listener.longest_us = max(listener.longest_us, now_us - listener.last_us)
        listener.last_us = now_us
        if self._fields:
            self._note_age(message)

    def close(self, listener: Listener, now_us: int, dropped: str | None = None) -> None:
        """Let `listener` go; `dropped` is why, where the other side wanted it."""
        if listener not in self._listeners:
            return
        self._turn(now_us)
        del self._listeners[listener]
        self._silences_us.append(max(listener.longest_us, now_us - listener.last_us))
        if dropped is not None:
            self._dropped[dropped] += 1

    def end(self) -> None:
        """Let all go; whoever comes from now on is to leave at once."""
        self.ended = True
        for listener in list(self._listeners):
            listener.leave()

    def take(self, now_us: int) -> list[MessageBatch]:
        """Return the seconds that ended since the last call; those without listeners are left out."""
        self._turn(now_us)
        over, self._over = self._over, []
        return over

    def _begin(self) -> None:
        self._opened = 0
        self._messages = 0
        self._size_bytes = 0
        self._ages_us = array("q")
        self._silences_us = array("q")
        self._dropped: Counter[str] = Counter()

    def _turn(self, now_us: int) -> None:
        while now_us >= self._edge_us:
            for listener in self._listeners:
                self._silences_us.append(max(listener.longest_us, self._edge_us - listener.last_us))
                listener.longest_us = 0
            if self._silences_us or self._opened:
                self._over.append(self._batch())
                self._begin()
            self._second += 1
            self._edge_us += _SECOND_US

    def _batch(self) -> MessageBatch:
        return MessageBatch(
            stream=self._stream,
            entry=self._entry,
            second=self._second,
            worker=self._worker,
            opened=self._opened,
            listeners=len(self._listeners),
            messages=self._messages,
            size_bytes=self._size_bytes,
            dropped=dict(self._dropped),
            silence_us=_histogram(self._silences_us),
            age_us=_histogram(self._ages_us),
        )

    def _note_age(self, message: bytes) -> None:
        try:
            value = orjson.loads(message)
            for field in self._fields:
                value = value[field]
            made_ns = float(value) * self._unit_ns
        except (ValueError, TypeError, KeyError):  # no JSON, or none with that field: it has no age
            return
        self._ages_us.append(max(0, round((time.time_ns() - made_ns) / 1e3)))


def _histogram(values: "array[int]") -> Histogram:
    return Histogram.of_us(np.frombuffer(values, dtype=np.int64)) if values else Histogram()
