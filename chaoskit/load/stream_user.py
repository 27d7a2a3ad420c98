"""A stream as a Locust user: one greenlet of Locust's runner dispatches its arrivals."""

from collections.abc import Callable
from typing import Any

from gevent.event import Event
from locust import User, task
from locust.exception import StopUser

from chaoskit.load.arrival import Stream
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.plan.arrivals import Schedule


class StreamUser(User):
    """Plays one stream's schedule from the release on, open model: it never waits for an answer."""

    abstract = True
    fixed_count = 1
    play: Callable[[], None]

    @task
    def dispatch(self) -> None:
        """Play the whole schedule once, then leave."""
        type(self).play()
        raise StopUser


def user_class(stream: Stream, play: Callable[[], None]) -> type[StreamUser]:
    """Return the user class of `stream`; `play` dispatches its arrivals and returns when all are on their way."""
    members: dict[str, Any] = {"play": staticmethod(play), "abstract": False}
    return type(f"{stream.name} (open model)", (StreamUser,), members)


class Playing:
    """Dispatches streams once released, and keeps the first error: Locust would log it and start the task anew."""

    def __init__(self, dispatcher: Dispatcher, worker: int, workers: int) -> None:
        self.released = Event()
        self.error: BaseException | None = None
        self._dispatcher = dispatcher
        self._worker = worker
        self._workers = workers

    def of(self, stream: Stream, schedule: Schedule) -> Callable[[], None]:
        """Return what plays `schedule`."""

        def play() -> None:
            self.released.wait()
            try:
                self._dispatcher.play(stream, schedule, self._worker, self._workers)
            except Exception as error:  # noqa: BLE001 - handed to the process, which ends with it
                self.error = self.error or error

        return play
