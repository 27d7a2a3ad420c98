"""An answer of the engine that takes its time (output, events, a build, a pull), and can be cut off in the middle."""

import contextlib

import requests
from docker.types import CancellableStream

from chaoskit import containers


class LongAnswer:
    """A client for one long answer. Whoever reads it closes it; anybody may cut it, which ends the reading."""

    def __init__(self) -> None:
        """Connect; SetupFailed where no engine answers."""
        self.client = containers.connect()
        self.cut_off = False
        self._answers: list[requests.Response] = []  # the SDK asks a short question beside a long one
        self.client.api.hooks["response"].append(self._remember)

    def cut(self) -> None:
        """End the answer, or the next one where none has begun; the engine gives up what it is doing for it."""
        self.cut_off = True
        for answer in self._answers:
            with contextlib.suppress(OSError, AttributeError, ValueError):  # it has ended by itself
                CancellableStream(iter(()), answer).close()

    def close(self) -> None:
        """Let go of the connection."""
        for answer in self._answers:
            answer.close()
        self.client.close()

    def _remember(self, answer: requests.Response, *_: object, **__: object) -> None:
        self._answers.append(answer)
        if self.cut_off:
            self.cut()
