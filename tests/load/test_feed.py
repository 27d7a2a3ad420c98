"""A feed's seconds, by a clock that the test moves."""

import json
import time
from dataclasses import dataclass

import pytest

from chaoskit.load.feed import Feed
from chaoskit.plan.flow import MessageAge
from chaoskit.records import MessageBatch

PLACE = ("feeds", "client->venue", 3)
MS = 1000


@dataclass(eq=False)
class Somebody:
    feed: Feed
    last_us: int = 0
    longest_us: int = 0
    left: bool = False

    def leave(self) -> None:
        self.left = True
        self.feed.close(self, 10_000 * MS)


def opened(feed: Feed, *at_ms: int) -> list[Somebody]:
    listeners = [Somebody(feed) for _ in at_ms]
    for listener, moment_ms in zip(listeners, at_ms, strict=True):
        feed.open(listener, moment_ms * MS)
    return listeners


def silences_ms(batch: MessageBatch) -> tuple[float, int]:
    return batch.silence_us.max_us / MS, batch.silence_us.count


def test_a_second_is_told_once_it_is_over() -> None:
    feed = Feed(PLACE)
    (listener,) = opened(feed, 100)
    feed.hear(listener, b"one", 300 * MS)
    assert feed.take(999 * MS) == []
    (batch,) = feed.take(1000 * MS)
    assert (batch.stream, batch.entry, batch.worker, batch.second) == (*PLACE, 0)
    assert (batch.opened, batch.listeners, batch.messages, batch.size_bytes) == (1, 1, 1, 3)
    assert feed.take(1500 * MS) == []


def test_a_silence_grows_from_second_to_second() -> None:
    feed = Feed(PLACE)
    (listener,) = opened(feed, 500)
    feed.hear(listener, b"before", 900 * MS)
    feed.hear(listener, b"after", 3100 * MS)
    found = [silences_ms(batch) for batch in feed.take(4000 * MS)]
    assert found == [(400, 1), (1100, 1), (2100, 1), (2200, 1)]


def test_every_subscriber_has_a_silence_of_its_own() -> None:
    feed = Feed(PLACE)
    one, two = opened(feed, 0, 0)
    for moment_ms in range(100, 1000, 100):
        feed.hear(one, b"x", moment_ms * MS)
    feed.hear(two, b"x", 700 * MS)
    (batch,) = feed.take(1000 * MS)
    assert batch.silence_us.count == 2
    assert (batch.silence_us.max_us, batch.silence_us.total_us) == (700 * MS, 800 * MS)


def test_what_is_not_expected_is_no_message() -> None:
    feed = Feed(PLACE, expect="depthUpdate")
    (listener,) = opened(feed, 0)
    feed.hear(listener, b'{"result":null,"id":1}', 100 * MS)
    feed.hear(listener, b'{"e":"depthUpdate"}', 200 * MS)
    (batch,) = feed.take(1000 * MS)
    assert batch.messages == 1


def test_one_that_leaves_is_no_drop_and_one_that_is_let_go_is() -> None:
    feed = Feed(PLACE)
    left, dropped, stayed = opened(feed, 0, 0, 0)
    feed.close(left, 400 * MS)
    feed.close(dropped, 1600 * MS, "closed 1001")
    feed.close(dropped, 1700 * MS, "closed 1001")  # once is enough
    first, second = feed.take(2000 * MS)
    assert (first.listeners, first.silence_us.count, dict(first.dropped)) == (2, 3, {})
    assert (second.listeners, second.silence_us.count, dict(second.dropped)) == (1, 2, {"closed 1001": 1})
    assert feed.listeners == 1
    assert not stayed.left


def test_seconds_without_subscribers_are_left_out() -> None:
    feed = Feed(PLACE)
    (listener,) = opened(feed, 2500)
    feed.close(listener, 2700 * MS)
    assert [batch.second for batch in feed.take(60_000 * MS)] == [2]


def test_the_end_lets_all_go() -> None:
    feed = Feed(PLACE)
    listeners = opened(feed, 0, 10)
    feed.end()
    assert all(listener.left for listener in listeners)
    assert feed.ended
    assert feed.listeners == 0


@pytest.mark.parametrize(("unit_s", "per_s"), [(1.0, 1), (0.001, 1_000), (1e-6, 1_000_000), (1e-9, 1_000_000_000)])
def test_ages_by_every_unit(unit_s: float, per_s: int) -> None:
    feed = Feed(PLACE, age=MessageAge("data.E", unit_s))
    (listener,) = opened(feed, 0)
    feed.hear(listener, json.dumps({"data": {"E": int((time.time() - 60) * per_s)}}).encode(), 1)
    (batch,) = feed.take(1000 * MS)
    assert 59.9e6 < batch.age_us.max_us < 75e6


@pytest.mark.parametrize(
    "message", [b"no json", b"[]", b'{"data":1}', b'{"data":{}}', b'{"data":{"E":"soon"}}', b"null"]
)
def test_a_message_that_does_not_say_has_no_age(message: bytes) -> None:
    feed = Feed(PLACE, age=MessageAge("data.E", 0.001))
    (listener,) = opened(feed, 0)
    feed.hear(listener, message, 1)
    (batch,) = feed.take(1000 * MS)
    assert (batch.messages, batch.age_us.count) == (1, 0)


def test_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    feed = Feed(PLACE, age=MessageAge("E", 1.0))
    (listener,) = opened(feed, 0)
    feed.hear(listener, json.dumps({"E": time.time() + 60}).encode(), 1)
    (batch,) = feed.take(1000 * MS)
    assert batch.age_us.max_us == 0
