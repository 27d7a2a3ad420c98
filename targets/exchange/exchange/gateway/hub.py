"""Who listens to what: streams by name, and the connections that want them. A message is framed once for all."""

from collections.abc import Callable
from typing import Protocol

from websockets.frames import Frame, Opcode


class Subscriber(Protocol):
    """A connection that listens; `combined`: it wants each message with the name of its stream around it."""

    combined: bool

    def push(self, frame: bytes) -> None:
        """Send one whole frame, unless this subscriber is too slow for it."""


class Hub:
    """Calls `begun` with each stream that gets its first subscriber, `ended` with each that has lost its last."""

    def __init__(self, begun: Callable[[str], None], ended: Callable[[str], None]) -> None:
        self._begun = begun
        self._ended = ended
        self._subscribers: dict[str, set[Subscriber]] = {}
        self.sent = 0

    @property
    def names(self) -> list[str]:
        """All streams that somebody wants."""
        return list(self._subscribers)

    @property
    def subscriptions(self) -> int:
        """How many there are, over all streams."""
        return sum(map(len, self._subscribers.values()))

    def wants(self, name: str) -> bool:
        """Whether anybody listens to that stream."""
        return name in self._subscribers

    def subscribe(self, subscriber: Subscriber, name: str) -> None:
        """Let `subscriber` have the stream from now on."""
        if name not in self._subscribers:
            self._subscribers[name] = set()
            self._begun(name)
        self._subscribers[name].add(subscriber)

    def unsubscribe(self, subscriber: Subscriber, name: str) -> None:
        """Stop that."""
        subscribers = self._subscribers.get(name)
        if subscribers is not None:
            subscribers.discard(subscriber)
            if not subscribers:
                self.drop(name)

    def drop(self, name: str) -> None:
        """End a stream for all."""
        if self._subscribers.pop(name, None) is not None:
            self._ended(name)

    def publish(self, name: str, payload: bytes) -> None:
        """Send a JSON message to all who listen."""
        subscribers = self._subscribers.get(name)
        if not subscribers:
            return
        frames: dict[bool, bytes] = {}
        for subscriber in subscribers:
            frame = frames.get(subscriber.combined)
            if frame is None:
                text = b'{"stream":"%s","data":%s}' % (name.encode(), payload) if subscriber.combined else payload
                frame = frames[subscriber.combined] = text_frame(text)
            subscriber.push(frame)
        self.sent += len(subscribers)


def text_frame(payload: bytes) -> bytes:
    """A message as a server sends it: one frame, without mask and compression."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)
