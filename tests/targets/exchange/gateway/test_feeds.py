"""What the gateway asks of the engine for its streams, and what it makes of the answers."""

import json

import pytest
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.feeds import FeedCollector, FeedLimits, Feeds
from exchange.gateway.listen_keys import listen_key
from exchange.gateway.market import Market


class Listener:
    combined = True

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)

    def look_after(self) -> None: ...

    def heard(self) -> list[tuple[str, str]]:
        """Stream and kind of each message."""
        texts = [json.loads(frame[frame.index(b"{") :]) for frame in self.frames]
        return [(text["stream"], text["data"]["e"]) for text in texts]


@pytest.fixture
def link() -> EngineLink:
    link = EngineLink(("127.0.0.1", 1), 1.0)
    link.accounts = 10
    return link


@pytest.fixture
def feeds(link: EngineLink) -> Feeds:
    return Feeds(Market([]), link, FeedLimits(10, 1_000, 60.0))


def test_the_engine_tells_what_somebody_needs_and_no_more(feeds: Feeds, link: EngineLink) -> None:
    one, other = Listener(), Listener()
    feeds.hub.subscribe(one, "btcusdt@forceOrder")
    feeds.hub.subscribe(other, "!forceOrder@arr")
    feeds.hub.subscribe(other, "btcusdt@depth@100ms")
    feeds.hub.subscribe(other, listen_key(7))
    assert link._watched == {"btcusdt@forceOrder", "ethusdt@forceOrder", "solusdt@forceOrder", 7}
    feeds.hub.unsubscribe(other, "!forceOrder@arr")
    feeds.hub.unsubscribe(other, listen_key(7))
    assert link._watched == {"btcusdt@forceOrder"}
    feeds.hub.unsubscribe(one, "btcusdt@forceOrder")
    assert link._watched == set()


def test_an_event_reaches_all_streams_that_tell_of_it(feeds: Feeds) -> None:
    listener = Listener()
    for name in ("btcusdt@forceOrder", "!forceOrder@arr", listen_key(7)):
        feeds.hub.subscribe(listener, name)
    feeds.event("btcusdt@forceOrder", b'{"e":"forceOrder"}')
    feeds.event("7", b'{"e":"ACCOUNT_UPDATE"}')
    feeds.event("8", b'{"e":"ACCOUNT_UPDATE"}')
    assert listener.heard() == [
        ("btcusdt@forceOrder", "forceOrder"), ("!forceOrder@arr", "forceOrder"), (listen_key(7), "ACCOUNT_UPDATE"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "exists"),
    [("btcusdt@trade", True), ("btcusdt@nothing", False), (listen_key(9), True), (listen_key(10), False)],
)
def test_streams_are_those_of_symbols_and_of_accounts(feeds: Feeds, name: str, exists: bool) -> None:
    assert feeds.exists(name) == exists


def test_listeners_messages_and_drops_are_counted(feeds: Feeds) -> None:
    listener = Listener()
    feeds.listeners.add(listener)
    feeds.hub.subscribe(listener, "btcusdt@trade")
    feeds.event("btcusdt@trade", b"{}")
    feeds.dropped["slow"] += 1
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in FeedCollector(feeds).collect()
        for sample in family.samples
    }
    assert samples == {
        ("exchange_stream_connections",): 1,
        ("exchange_stream_subscriptions",): 1,
        ("exchange_stream_messages_total",): 1,
        ("exchange_stream_drops_total", "slow"): 1,
        ("exchange_stream_drops_total", "silent"): 0,
        ("exchange_stream_drops_total", "flooding"): 0,
    }
