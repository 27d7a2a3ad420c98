"""Subscriptions against a real WebSocket server: one play of many streams, each at a path of its own kind."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from chaoskit.plan.flow import MessageAge, PlannedFlow, PlannedSubscription
from chaoskit.plan.tls import PlannedTls
from chaoskit.records import Histogram, History, MessageBatch
from tests.support.feed_server import EVERY_S, FeedServer
from tests.support.load_plan import plan_of, play_plan, stream_of
from tests.support.misbehaving_server import MisbehavingServer

SUBSCRIBE = '{"method":"SUBSCRIBE","params":["btcusdt@depth"],"id":1}'
SECONDS = 6
GOOD = ("steady", "old", "stalling", "going-away", "cut", "in-parts")
BAD = {
    "too-many": "status 429",
    "unknown": "rpc -32601",
    "full": "closed 1013",
    "mute": "message_timeout",
}


def subscription(path: str, hold_s: float | None = None) -> PlannedFlow:
    wanted = PlannedSubscription(
        path, (SUBSCRIBE,), expect="depthUpdate", hold_s=hold_s, age=MessageAge("data.E", 0.001), protocols=()
    )
    return PlannedFlow("subscription", subscription=wanted)


@pytest.fixture(scope="module")
def feed_server() -> Iterator[FeedServer]:
    started = FeedServer()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def played(feed_server: FeedServer, tmp_path_factory: pytest.TempPathFactory) -> History:
    """One subscriber at half a second and one at 2.5 s, of each kind; those of `short` leave after a second."""
    streams = [
        stream_of(subscription(f"/{name}"), (4, 0.5), (SECONDS - 4, 0), name=name, timeout_s=1.0)
        for name in (*GOOD, *BAD)
    ]
    streams.append(stream_of(subscription("/steady", hold_s=1), (4, 0.5), (SECONDS - 4, 0), name="short"))
    plan = plan_of(*streams, connections=50, drain_s=1)
    return asyncio.run(play_plan(tmp_path_factory.mktemp("play"), plan, feed_server.address))


def got(history: History, stream: str) -> list[MessageBatch]:
    return sorted((batch for batch in history.messages if batch.stream == stream), key=lambda batch: batch.second)


@pytest.mark.parametrize("stream", [*GOOD, "short"])
def test_the_first_message_answers_an_arrival(played: History, stream: str) -> None:
    batches = [batch for batch in played.samples if batch.stream == stream]
    assert sum(batch.ok for batch in batches) == 2
    assert all(not batch.failed for batch in batches)
    assert Histogram.merged(batch.response_us for batch in batches).count == 2


@pytest.mark.parametrize(("stream", "reason"), BAD.items())
def test_each_way_to_fail_has_its_word(played: History, stream: str, reason: str) -> None:
    failed = Counter[str]()
    for batch in played.samples:
        if batch.stream == stream:
            failed.update(batch.failed)
    assert failed == {reason: 2}
    assert got(played, stream) == []


def test_messages_are_counted_in_the_second_in_which_they_come(played: History) -> None:
    batches = got(played, "steady")
    assert sum(batch.opened for batch in batches) == 2
    assert [batch.listeners for batch in batches if batch.second >= 3] == [2, 2, 2]
    whole = [batch.messages for batch in batches if batch.second >= 3]
    assert all(10 < count <= 2 * 1 / EVERY_S + 2 for count in whole), whole
    assert all(batch.size_bytes > 40 * batch.messages for batch in batches)


def test_confirmations_are_not_measured(played: History) -> None:
    (first, *_) = got(played, "going-away")
    assert first.messages == 1


def test_a_message_in_parts_is_one(played: History) -> None:
    assert 20 < sum(batch.messages for batch in got(played, "in-parts")) <= 2 * SECONDS / EVERY_S


def test_a_stall_shows_while_it_lasts(played: History) -> None:
    longest_s = max(batch.silence_us.max_us / 1e6 for batch in got(played, "stalling"))
    assert 1.8 < longest_s < 3
    in_stall = [batch for batch in got(played, "stalling") if batch.silence_us.max_us > 900_000]
    assert len(in_stall) >= 2  # not only in the second that ended it
    assert max(batch.silence_us.max_us / 1e6 for batch in got(played, "steady")) < 1


def test_the_age_is_what_the_message_says(played: History) -> None:
    ages_us = Histogram.merged(batch.age_us for batch in got(played, "old"))
    median_us = ages_us.quantile_us(0.5)
    assert median_us is not None
    assert 0.49e6 < median_us < 0.9e6
    fresh_us = Histogram.merged(batch.age_us for batch in got(played, "steady")).quantile_us(0.5)
    assert fresh_us is not None
    assert fresh_us < 0.3e6


@pytest.mark.parametrize(("stream", "reasons"), [("going-away", {"closed 1001"}), ("cut", {"reset", "closed 1006"})])
def test_those_whom_the_server_lets_go_are_drops(played: History, stream: str, reasons: set[str]) -> None:
    dropped = Counter[str]()
    for batch in got(played, stream):
        dropped.update(batch.dropped)
    assert dropped.total() == 2
    assert set(dropped) <= reasons


def test_a_subscriber_leaves_when_its_time_is_over(played: History) -> None:
    batches = got(played, "short")
    assert sum(batch.opened for batch in batches) == 2
    assert all(not batch.dropped for batch in batches)
    assert batches[-1].second <= 4
    assert batches[-1].listeners == 0


def test_subscribers_say_good_bye(played: History, feed_server: FeedServer) -> None:
    left = Counter(feed_server.closes)
    assert left[1000] >= 8  # steady, old, stalling, in-parts: two each; and those of `short`
    assert set(feed_server.subscribed) == {SUBSCRIBE}


def test_a_connection_of_a_subscriber_takes_a_place_and_no_time_of_others(played: History) -> None:
    samples = [each for each in played.resources if each.resource.endswith(".connections")]
    assert min(each.servers for each in samples) < 45
    assert max(each.busy_s for each in samples) < 10  # not the minute that subscribers listened together


def test_subscriptions_are_encrypted_where_the_target_is(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("venue.test").configure_cert(context)
    server = FeedServer(context)
    try:
        plan = plan_of(stream_of(subscription("/steady"), (2, 1), name="steady"), drain_s=1)
        tls = PlannedTls("venue.test", authority.cert_pem.bytes().decode("ascii"))
        plan = replace(plan, links=tuple(replace(link, tls=tls, host="venue.test") for link in plan.links))
        history = asyncio.run(play_plan(tmp_path, plan, server.address))
    finally:
        server.stop()
    assert sum(batch.ok for batch in history.samples) == 2
    assert sum(batch.messages for batch in got(history, "steady")) > 10
    assert server.closes == [1000, 1000]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/garbage", "bad_answer"), ("/ok", "bad_answer"), ("/close", "closed"), ("/never-answered", "timeout")],
)
def test_what_is_no_handshake_is_told(tmp_path: Path, path: str, reason: str) -> None:
    server = MisbehavingServer()
    try:
        plan = plan_of(stream_of(subscription(path), (1, 1), timeout_s=0.5), drain_s=1)
        history = asyncio.run(play_plan(tmp_path, plan, server.address))
    finally:
        server.stop()
    assert [dict(batch.failed) for batch in history.samples] == [{reason: 1}]
