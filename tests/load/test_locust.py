"""What touches Locust's own parts. It is imported unpatched here: the process of the tests is not Locust's."""

import os
import random
from collections import Counter
from typing import Any

import pytest

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"  # before the first import of locust

from locust.env import Environment
from locust.stats import RequestStats

from chaoskit.load.locustfile import counts_by_class, users_at
from chaoskit.load.outcomes import Outcomes, Recorder
from chaoskit.load.statistics import METHOD, LocustStatistics, listeners, merge
from chaoskit.plan.model import Segment


def outcomes(seed: int = 1) -> Outcomes:
    draw = random.Random(seed)
    recorder = Recorder("trading", "client->web")
    for _ in range(500):
        start_us = draw.randrange(5_000_000)
        response_us = int(draw.expovariate(1 / 200_000))
        if draw.random() < 0.8:
            recorder.ok(start_us, start_us, start_us + response_us, 1)
        else:
            recorder.failed((start_us, start_us, start_us + response_us), 1, draw.choice(["timeout", "status 503"]))
    return recorder.take()


def test_bulk_gives_the_statistics_that_one_by_one_gives() -> None:
    bulk, single = RequestStats(), RequestStats()
    for seed in (1, 2):
        batch = outcomes(seed)
        merge(bulk, batch, zero_wall_s=1_000_000.0)
        reasons = [*[None] * len(batch.ok), *batch.reasons]
        for response_us, reason in zip(batch.response_us.tolist(), reasons, strict=True):
            single.log_request(METHOD, "trading", round(response_us / 1000), 0)
            if reason:
                single.log_error(METHOD, "trading", reason)
    for one, other in ((bulk.total, single.total), (bulk.get("trading", METHOD), single.get("trading", METHOD))):
        assert one.num_requests == other.num_requests == 1000
        assert one.num_failures == other.num_failures > 100
        assert dict(one.response_times) == dict(other.response_times)
        assert one.total_response_time == other.total_response_time
        assert (one.min_response_time, one.max_response_time) == (other.min_response_time, other.max_response_time)
        assert sum(one.num_reqs_per_sec.values()) == sum(other.num_reqs_per_sec.values())
        assert sum(one.num_fail_per_sec.values()) == sum(other.num_fail_per_sec.values())
    assert {key: each.occurrences for key, each in bulk.errors.items()} == {
        key: each.occurrences for key, each in single.errors.items()
    }


def test_requests_are_counted_in_the_second_in_which_they_ended() -> None:
    stats = RequestStats()
    batch = outcomes()
    merge(stats, batch, zero_wall_s=1_000_000.0)
    assert stats.total.num_reqs_per_sec == Counter((1_000_000 + batch.done_us // 1_000_000).tolist())


def test_the_request_event_reaches_those_who_listen_and_is_not_counted_twice() -> None:
    environment = Environment(user_classes=[])
    runner = environment.create_local_runner()
    statistics = LocustStatistics(environment, listeners(environment))
    heard: list[tuple[str, str | None]] = []

    def listen(name: str, exception: Exception | None, response_time: float, **_: object) -> None:
        heard.append((name, str(exception) if exception else None))

    events: Any = environment.events

    def stumble(**_: object) -> None:
        raise ValueError("a listener's own mistake")

    events.request.add_listener(stumble)
    events.request.add_listener(listen)
    statistics.add(outcomes(), now_us=6_000_000)
    runner.quit()
    assert len(heard) == environment.stats.total.num_requests == 500
    assert Counter(reason for _, reason in heard if reason) == Counter(outcomes().reasons)


@pytest.mark.parametrize(
    ("t_s", "users"), [(-1, 0), (0, 10), (4.9, 10), (5, 10), (6, 55), (7, 100), (9.9, 100), (10, 0)]
)
def test_users_follow_the_segments(t_s: float, users: int) -> None:
    segments = (Segment(0, 5, 10, 10), Segment(5, 7, 10, 100), Segment(7, 10, 100, 100))
    assert users_at(t_s, segments) == users


@pytest.mark.parametrize(
    ("users", "weights", "counts"),
    [
        (0, {"a": (1, 0)}, {"a": 0}),
        (10, {"a": (3, 0), "b": (1, 0)}, {"a": 8, "b": 2}),
        (3, {"a": (1, 0), "b": (1, 0), "c": (1, 0)}, {"a": 1, "b": 1, "c": 1}),
        (5, {"a": (1, 2), "b": (1, 0)}, {"a": 2, "b": 3}),
        (1, {"a": (1, 2), "b": (1, 0)}, {"a": 1, "b": 0}),
        (7, {"a": (1, 2)}, {"a": 2}),
    ],
)
def test_users_are_dealt_out_over_classes(
    users: int, weights: dict[str, tuple[float, int]], counts: dict[str, int]
) -> None:
    assert counts_by_class(users, weights) == counts
