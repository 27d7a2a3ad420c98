"""The gateway's streams put together: what the engine tells, what is made of its snapshots, and the user streams."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from service.wall import wall_ms

from exchange.gateway.call import Call
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.hub import Hub, Subscriber
from exchange.gateway.listen_keys import KEY_LENGTH, ListenKeys, listen_key
from exchange.gateway.market import Market
from exchange.gateway.market_streams import MarketStreams
from exchange.gateway.stream_names import stream_named

LOOK_AFTER_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """How many connections may listen, how far (bytes) one may be behind, and how long a listen key lives."""

    connections: int
    buffer_bytes: int
    listen_key_s: float


class Listener(Subscriber, Protocol):
    """A connection of the gateway."""

    def look_after(self) -> None:
        """Ping it, or end it where it does not answer or is too old."""


class Feeds:
    """All streams of one gateway; `listeners` are its connections, `dropped` counts those it ended by reason."""

    def __init__(self, market: Market, engine: EngineLink, limits: FeedLimits) -> None:
        self.limits = limits
        self.keys = ListenKeys(limits.listen_key_s)
        self.hub = Hub(self._begun, self._ended)
        self.listeners: set[Listener] = set()
        self.dropped: Counter[str] = Counter()
        self._engine = engine
        self._market = market
        self._streams = MarketStreams(market, self.hub.publish)
        self._topics: Counter[str | int] = Counter()  # what the engine must tell, by how many streams need it
        self._accounts: dict[str, int] = {}  # of the user streams that somebody listens to

    def exists(self, name: str) -> bool:
        """Whether there is a stream of that name: a public one, or that of a listen key."""
        if len(name) == KEY_LENGTH:
            return self.keys.account_of(name, self._engine.accounts) is not None
        return stream_named(name) is not None

    def update(self, snapshot: dict[str, dict[str, Any]]) -> None:
        """Take over a snapshot of the market from the engine."""
        self._market.update(snapshot)
        self._streams.update()

    def event(self, topic: str, body: bytes) -> None:
        """Pass on what the engine tells."""
        if topic.isdigit():
            self.hub.publish(listen_key(int(topic)), body)
            return
        self.hub.publish(topic, body)
        if topic.endswith("@forceOrder"):
            self.hub.publish("!forceOrder@arr", body)

    async def run(self) -> None:
        """Look after the connections and the listen keys for ever."""
        while True:
            await asyncio.sleep(LOOK_AFTER_EVERY_S)
            for account in self.keys.expired():
                key = listen_key(account)
                told = {"e": "listenKeyExpired", "E": wall_ms(), "listenKey": key}
                self.hub.publish(key, orjson.dumps(told))
                self.hub.drop(key)
            for listener in tuple(self.listeners):
                listener.look_after()

    async def open_key(self, call: Call) -> bytes:
        """`POST /fapi/v1/listenKey`."""
        return orjson.dumps({"listenKey": self.keys.open(call.account)})

    async def renew_key(self, call: Call) -> bytes:
        """`PUT /fapi/v1/listenKey`."""
        self.keys.renew(call.account)
        return orjson.dumps({"listenKey": listen_key(call.account)})

    async def close_key(self, call: Call) -> bytes:
        """`DELETE /fapi/v1/listenKey`: its streams end, too."""
        self.keys.close(call.account)
        self.hub.drop(listen_key(call.account))
        return b"{}"

    def _begun(self, name: str) -> None:
        if len(name) == KEY_LENGTH:
            account = self._accounts[name] = int(name[:8], 16)
            self._need([account])
        elif (stream := stream_named(name)) is not None:
            self._need(stream.engine_topics)
            if not stream.engine_topics:
                self._streams.begin(stream)

    def _ended(self, name: str) -> None:
        if name in self._accounts:
            self._forgo([self._accounts.pop(name)])
        elif (stream := stream_named(name)) is not None:
            self._forgo(stream.engine_topics)
            self._streams.end(name)

    def _need(self, topics: "list[str] | list[int]") -> None:
        fresh = [topic for topic in topics if not self._topics[topic]]
        self._topics.update(topics)
        self._engine.watch(fresh)

    def _forgo(self, topics: "list[str] | list[int]") -> None:
        self._topics.subtract(topics)
        self._engine.unwatch([topic for topic in topics if not self._topics[topic]])
        self._topics += Counter()  # forgets those that nobody needs


class FeedCollector(Collector):
    """How many listen, what they were sent, and who was dropped."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield GaugeMetricFamily(
            "exchange_stream_connections", "WebSocket connections", value=len(self._feeds.listeners)
        )
        yield GaugeMetricFamily(
            "exchange_stream_subscriptions", "Streams that they listen to", value=self._feeds.hub.subscriptions
        )
        yield CounterMetricFamily("exchange_stream_messages", "Messages sent to them", value=self._feeds.hub.sent)
        dropped = CounterMetricFamily("exchange_stream_drops", "Connections that were ended", labels=["reason"])
        for reason in ("slow", "silent", "flooding"):
            dropped.add_metric([reason], self._feeds.dropped[reason])
        yield dropped
