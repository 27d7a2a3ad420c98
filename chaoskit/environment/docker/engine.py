"""One Docker engine as an event loop sees it: calls that are never lost, events as they come, streams that can be cut.

The engine's client blocks, so each call has a thread. A task that is cancelled leaves its call behind; `settle` waits
for those, so that whoever cleans up afterwards sees all that was made.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

import docker
import requests
from docker.errors import APIError, NotFound

from chaoskit import containers
from chaoskit.environment.docker.answer import LongAnswer
from chaoskit.errors import ChaoskitError, SetupFailed

CALLS_AT_ONCE: Final = 16
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Engine:
    """A connected engine. Make it by `connect`; `close` it when everything is taken away."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.version = str(client.version()["Version"])
        self.place = containers.place(client)
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="engine")
        self._calls: set[asyncio.Future[Any]] = set()
        self._answers: set[LongAnswer] = set()
        self._events: LongAnswer | None = None
        self._closing = False

    @classmethod
    async def connect(cls) -> "Engine":
        """Return the engine that answers; SetupFailed where none does."""
        return await asyncio.to_thread(lambda: cls(containers.connect()))

    async def call(self, what: str, function: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
        """Return `function(…)`, called in a thread; what it complains of is SetupFailed, and begins with `what`."""
        return await self.call_or(SetupFailed, what, lambda: function(*arguments, **options))

    async def call_or(self, error: type[ChaoskitError], what: str, function: Callable[[], _T]) -> _T:
        """Do the same for a caller whose failures are `error`."""

        def run() -> _T:
            with containers.saying(what, error):
                return function()

        call = asyncio.get_running_loop().run_in_executor(self._threads, run)
        self._calls.add(call)
        call.add_done_callback(self._forget)
        return await asyncio.shield(call)

    async def settle(self) -> None:
        """Cut what streams, and wait until no call is under way."""
        for answer in tuple(self._answers):
            answer.cut()
        while self._calls:
            await asyncio.wait(self._calls)

    @contextlib.contextmanager
    def answering(self) -> Iterator[LongAnswer]:
        """Give a call that takes long (a build, a pull) an answer that `settle` can cut; for the call's thread."""
        answer = LongAnswer()
        self._answers.add(answer)
        try:
            yield answer
        finally:
            self._answers.discard(answer)
            answer.close()

    async def listen(
        self, label: str, hear: Callable[[Mapping[str, Any]], None], lost: Callable[[], None], *kinds: str
    ) -> None:
        """Hand each event of these kinds of a container with `label` to `hear`, and say when the engine is `lost`.

        Both are called in the event loop, from now on until `close`.

        Raises:
            SetupFailed: the engine tells of no events.
        """
        loop = asyncio.get_running_loop()
        filters = {"type": "container", "label": label, "event": list(kinds)}

        def ask() -> tuple[LongAnswer, Iterator[Mapping[str, Any]]]:
            answer = LongAnswer()
            return answer, answer.client.events(decode=True, filters=filters)

        def tell(function: Callable[..., None], *arguments: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and nobody waits for it
                loop.call_soon_threadsafe(function, *arguments)

        def read() -> None:
            with contextlib.suppress(APIError, requests.RequestException, ValueError, AttributeError):
                for event in events:
                    tell(hear, event)
            self._events = None
            answer.close()
            if not self._closing:
                tell(lost)

        answer, events = await self.call("the engine tells of no events", ask)
        self._events = answer
        threading.Thread(target=read, name="engine events", daemon=True).start()

    def close(self) -> None:
        """Let go of the engine; nothing may be under way any more."""
        self._closing = True
        if (events := self._events) is not None:
            events.cut()
        self._threads.shutdown(wait=False)
        self.client.close()

    def _forget(self, call: "asyncio.Future[Any]") -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # whoever asked may be gone; nothing is to complain that nobody looked


def unless_gone(function: Callable[..., object], *arguments: object, **options: object) -> None:
    """Call `function` on something of the engine's, which may be gone already."""
    try:
        function(*arguments, **options)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != requests.codes.conflict or "already in progress" not in str(error):
            raise
