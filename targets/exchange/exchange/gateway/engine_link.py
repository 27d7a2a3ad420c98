"""The gateway's one connection to the engine: calls, market data and events of topics."""

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from service.link import Answer, Link

from exchange.failures import backend_timeout, internal_error

__all__ = ["Answer", "EngineLink"]


class EngineLink(Link):
    """Calls to the engine (protocol: `exchange.engine.server`); a failed one raises `Refusal` -1007, or -1001 at once
    where there is no connection: then the command was certainly not executed.

    `accounts` is how many accounts the engine has (0 until it said so); `on_feed` gets each market data
    snapshot, `on_event` each event of a topic that is watched, as JSON.
    """

    def __init__(self, address: tuple[str, int], timeout_s: float) -> None:
        super().__init__(address, timeout_s, internal_error, backend_timeout)
        self.on_feed: Callable[[dict[str, Any]], None] = _ignore
        self.on_event: Callable[[str, bytes], None] = _ignore
        self._watched: set[str | int] = set()
        self.accounts = 0

    def watch(self, topics: Sequence[str | int]) -> None:
        """Let the engine tell of `topics`, too: `btcusdt@trade`, or the number of an account."""
        self._watched.update(topics)
        self._say("watch", topics)

    def unwatch(self, topics: Sequence[str | int]) -> None:
        """Stop that."""
        self._watched.difference_update(topics)
        self._say("unwatch", topics)

    def greeted(self, body: bytes) -> None:
        """Learn how many accounts there are, and ask again for all that is watched."""
        self.accounts = orjson.loads(body)["accounts"]
        self._say("watch", list(self._watched))

    def told(self, kind: bytes, text: bytes) -> None:
        """Hand on market data, or an event."""
        if kind == b"*":
            self.on_feed(orjson.loads(text))
            return
        topic, _, event = text.partition(b" ")
        self.on_event(topic.decode(), event)

    def _say(self, change: str, topics: Sequence[str | int]) -> None:
        """Tell the engine now; after a lost connection it is told all that is watched."""
        if topics and self.connected:
            self.call([change, list(topics)]).add_done_callback(_settled)


def _ignore(*_args: object) -> None:
    """Nobody wants to know."""


def _settled(future: "Future[Answer]") -> None:
    """Take note of a failure: the connection is over then, and the next one begins with everything."""
    if not future.cancelled():
        future.exception()
