"""A user's own locustfile under its own rules: closed model, as many users as the phases say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gevent
from locust import User
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from chaoskit.errors import SetupFailed
from chaoskit.load.answer import FIRST_ERROR_STATUS
from chaoskit.load.outcomes import Recorder
from chaoskit.load.run_time import RunTime
from chaoskit.plan.model import PlannedStream, Segment

_STEP_S: Final = 0.25  # how often the number of users follows a ramp
_STREAM: Final = "chaoskit_stream"  # in the context of `request` events: which stream a user belongs to
_REASON_LENGTH: Final = 80
_WORDS: Final = {"refused": "refused", "reset by peer": "reset", "timed out": "timeout", "timeout": "timeout"}


def users_at(t_s: float, segments: Sequence[Segment]) -> int:
    """Return how many users the plan wants at `t_s`; a locustfile's segments are users in place of rates."""
    for segment in segments:
        if segment.start_s <= t_s < segment.end_s:
            climbed = (t_s - segment.start_s) / (segment.end_s - segment.start_s)
            return round(segment.start_rps + (segment.end_rps - segment.start_rps) * climbed)
    return 0


def counts_by_class(users: int, weights: Mapping[str, tuple[float, int]]) -> dict[str, int]:
    """Deal `users` out over user classes, given as weight and fixed count: fixed counts first, then by weight."""
    counts = dict.fromkeys(weights, 0)
    for name, (_, fixed) in weights.items():
        counts[name] = min(fixed, users - sum(counts.values()))
    shared = {name: weight for name, (weight, fixed) in weights.items() if not fixed}
    rest = users - sum(counts.values())
    total = sum(shared.values())
    passed, given = 0.0, 0
    for name, weight in shared.items():
        passed += weight
        upto = round(rest * passed / total)
        counts[name] = upto - given
        given = upto
    return counts


@dataclass(slots=True)
class Place:
    """A load process's place among those that play, 0 … `places` - 1; both change when one of them is lost."""

    place: int
    places: int

    def part_of(self, users: int) -> int:
        """Return how many of `users` this process has."""
        return users // self.places + (self.place < users % self.places)


class LocustfileStream:
    """One stream whose load is a locustfile: its users come and go with the phases, its requests become outcomes."""

    def __init__(self, planned: PlannedStream, recorder: Recorder, host: str) -> None:
        """Load the file.

        Raises:
            SetupFailed: it cannot be loaded, or it has no user class.
        """
        self.name = planned.name
        self.recorder = recorder
        self._segments = planned.segments
        path = Path(planned.flow.search_path) / planned.flow.reference
        try:
            found, _ = load_locustfile(str(path))
        except Exception as error:  # loading runs the user's code: it can raise anything
            message = f"the locustfile {path} of stream {planned.name} cannot be loaded: {error!r}"
            raise SetupFailed(message) from error
        if not found:
            message = f"the locustfile {path} of stream {planned.name} has no User class with tasks"
            raise SetupFailed(message)
        self.user_classes = [_bound(user_class, planned.name, host) for user_class in found.values()]

    def scale(self, run_time: RunTime, environment: Environment, place: Place) -> None:
        """Keep the number of users at what the phases say until they are over."""
        weights = {each.__name__: (float(each.weight), each.fixed_count) for each in self.user_classes}
        runner = environment.runner
        if runner is None:
            message = "the environment has no runner"
            raise RuntimeError(message)
        end_s = self._segments[-1].end_s if self._segments else 0.0
        while True:
            t_s = run_time.now_us() / 1e6
            wanted = users_at(t_s, self._segments)
            counts = counts_by_class(place.part_of(wanted), weights)
            present = runner.user_classes_count
            runner.spawn_users(dict(_above(counts, present)))
            runner.stop_users({name: fewer for name, fewer in _above(present, counts) if name in counts})
            if t_s >= end_s:
                return
            gevent.sleep(_STEP_S)


def listener(streams: Sequence[LocustfileStream], run_time: RunTime) -> Callable[..., None]:
    """Return a listener for Locust's `request` event that notes each request with its stream."""
    recorders = {stream.name: stream.recorder for stream in streams}
    only = streams[0].recorder

    def on_request(
        response_time: float | None = None,
        exception: Exception | None = None,
        response: object = None,
        context: Mapping[str, Any] | None = None,
        **_others: object,
    ) -> None:
        recorder = recorders.get((context or {}).get(_STREAM, ""), only)
        done_us = run_time.now_us()
        start_us = max(0, done_us - round((response_time or 0.0) * 1000))
        if exception is None:
            recorder.ok(start_us, start_us, done_us, 1)
        else:
            recorder.failed((start_us, start_us, done_us), 1, _reason(exception, response))

    return on_request


def _bound(user_class: type[User], stream: str, host: str) -> type[User]:
    """Return the class as it is, but aimed at `host` and with its stream in the context of its events."""

    def context(self: User) -> dict[str, Any]:
        return {**user_class.context(self), _STREAM: stream}

    name = f"{stream}.{user_class.__name__}"
    members: dict[str, Any] = {"host": host, "context": context}
    return type(name, (user_class,), members)


def _above(one: Mapping[str, int], other: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for name, count in one.items():
        more = count - other.get(name, 0)
        if more > 0:
            yield name, more


def _reason(exception: Exception, response: object) -> str:
    status = getattr(response, "status_code", None) or 0
    if status >= FIRST_ERROR_STATUS:
        return f"status {status}"
    text = str(exception)
    for words, reason in _WORDS.items():
        if words in text.lower():
            return reason
    return (text or type(exception).__name__)[:_REASON_LENGTH]
