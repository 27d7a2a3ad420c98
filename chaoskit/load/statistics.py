"""Outcomes into Locust's own statistics, in bulk, and out to those who listen for its `request` event."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from locust import stats as locust_stats
from locust.env import Environment
from locust.event import EventHook
from locust.stats import RequestStats, StatsEntry, StatsError

from chaoskit.load.outcomes import Outcomes
from chaoskit.records import LOST

Listener = Callable[..., object]
METHOD: Final = "ARRIVAL"  # where Locust shows GET or POST: one arrival may be several requests


class LocustStatistics:
    """Feeds the statistics of `environment` as its own clients would, arrival by arrival, but in one step.

    `own` are the listeners that Locust and chaoskit have for the `request` event themselves; whoever else listens,
    now or later, is told of each arrival.
    """

    def __init__(self, environment: Environment, own: Sequence[Listener]) -> None:
        self._environment = environment
        self._own = own

    def add(self, outcomes: Outcomes, now_us: int) -> None:
        """Count `outcomes` as requests named after their stream; `now_us` is the run's clock now."""
        if not outcomes.count:
            return
        zero_wall_s = time.time() - now_us / 1e6  # Locust keeps its seconds on the wall clock
        merge(self._environment.stats, outcomes, zero_wall_s)
        others = [each for each in listeners(self._environment) if each not in self._own]
        if others:
            _tell(others, outcomes, zero_wall_s)


def listeners(environment: Environment) -> list[Listener]:
    """Return who listens for the `request` event."""
    return list(environment.events.request._handlers)  # noqa: SLF001 - the event has no public list


def merge(stats: RequestStats, outcomes: Outcomes, zero_wall_s: float) -> None:
    """Add `outcomes` to `stats`: what `log_request` and `log_error` would have counted one by one."""
    batch = StatsEntry(stats, outcomes.stream, METHOD)
    response_ms = np.rint(outcomes.response_us / 1000).astype(np.int64)
    batch.num_requests = outcomes.count
    batch.num_failures = len(outcomes.reasons)
    batch.total_response_time = int(response_ms.sum())
    batch.min_response_time = int(response_ms.min())
    batch.max_response_time = int(response_ms.max())
    for value_ms, times in _tally(response_ms):
        batch.response_times[locust_stats.bucket_response_time(value_ms)] += times
    done_wall_s = (zero_wall_s + outcomes.done_us / 1e6).astype(np.int64)
    batch.num_reqs_per_sec.update(_tally(done_wall_s))
    batch.num_fail_per_sec.update(_tally(done_wall_s[len(outcomes.ok) :]))
    batch.last_request_timestamp = zero_wall_s + float(outcomes.done_us.max()) / 1e6
    stats.total.extend(batch)
    stats.entries[outcomes.stream, METHOD].extend(batch)
    for reason, times in Counter(outcomes.reasons).items():
        error = stats.errors.setdefault(
            StatsError.create_key(METHOD, outcomes.stream, reason), StatsError(METHOD, outcomes.stream, reason)
        )
        error.occurrences += times
        error.last_seen = batch.last_request_timestamp
        error.first_seen = error.first_seen or error.last_seen


def merge_lost(stats: RequestStats, stream: str, requests: int, failures: int) -> None:
    """Add arrivals of a worker that is lost, of which nobody knows when they ended: they count as never answered."""
    now_s = time.time()
    lost = StatsEntry(stats, stream, METHOD)
    lost.num_requests = lost.num_none_requests = requests
    lost.num_failures = failures
    lost.num_reqs_per_sec[int(now_s)] = requests
    lost.num_fail_per_sec[int(now_s)] = failures
    lost.last_request_timestamp = now_s
    stats.total.extend(lost)
    stats.entries[stream, METHOD].extend(lost)
    if failures:
        error = stats.errors.setdefault(StatsError.create_key(METHOD, stream, LOST), StatsError(METHOD, stream, LOST))
        error.occurrences += failures
        error.last_seen = now_s
        error.first_seen = error.first_seen or now_s


def _tally(values: "np.typing.NDArray[np.int64]") -> list[tuple[int, int]]:
    distinct, counts = np.unique(values, return_counts=True)
    return list(zip(distinct.tolist(), counts.tolist(), strict=True))


def _tell(others: Sequence[Listener], outcomes: Outcomes, zero_wall_s: float) -> None:
    event: Any = EventHook()  # type: ignore[no-untyped-call] # it survives a listener that raises
    for listener in others:
        event.add_listener(listener)
    reasons: list[str | None] = [*[None] * len(outcomes.ok), *outcomes.reasons]
    times_us = zip(outcomes.response_us.tolist(), outcomes.done_us.tolist(), reasons, strict=True)
    for response_us, done_us, reason in times_us:
        event.fire(
            request_type=METHOD,
            name=outcomes.stream,
            response_time=response_us / 1000,
            response_length=0,
            exception=None if reason is None else ConnectionError(reason),
            context={"entry": outcomes.entry},
            start_time=zero_wall_s + (done_us - response_us) / 1e6,
            url="",
        )
