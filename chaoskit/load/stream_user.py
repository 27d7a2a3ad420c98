"""A stream as a Locust user: one greenlet of Locust's runner dispatches its arrivals."""

from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from locust import User, task
from locust.exception import StopUser

from chaoskit.load.arrival import Stream
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.plan.arrivals import Schedule
from chaoskit.plan.share import Share


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

    def __init__(self, dispatcher: Dispatcher, share: Share) -> None:
        self.released = Event()
        self.error: BaseException | None = None
        self._dispatcher = dispatcher
        self._share = share
        self._schedules: list[tuple[Stream, Schedule]] = []

    def of(self, stream: Stream, schedule: Schedule) -> Callable[[], None]:
        """Return what plays this process's share of `schedule`."""
        self._schedules.append((stream, schedule))

        def play() -> None:
            self.released.wait()
            self._play(stream, schedule, self._share)

        return play

    def take_over(self, share: Share) -> None:
        """Play `share` of every stream beside what is played already; returns at once."""
        for stream, schedule in self._schedules:
            gevent.spawn(self._play, stream, schedule, share)

    def _play(self, stream: Stream, schedule: Schedule, share: Share) -> None:
        try:
            self._dispatcher.play(stream, schedule, share.first(schedule), share.step)
        except Exception as error:  # noqa: BLE001 - handed to the process, which ends with it
            self.error = self.error or error
