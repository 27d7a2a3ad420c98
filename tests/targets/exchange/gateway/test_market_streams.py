"""Changes of the book as differences of snapshots, and how often each stream speaks."""

from typing import Any

import orjson
import pytest
from exchange.gateway import market_streams
from exchange.gateway.market import Market
from exchange.gateway.market_streams import MarketStreams, changes
from exchange.gateway.stream_names import stream_named
from exchange.venue import SYMBOLS
from hypothesis import given
from hypothesis import strategies as st

SIDES = st.dictionaries(st.integers(1, 30).map(str), st.integers(1, 5).map(str), max_size=20)


@given(SIDES, SIDES)
def test_changes_bring_one_side_of_the_book_to_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    book = dict(before)
    for price, quantity in changes([list(level) for level in before.items()], [list(level) for level in after.items()]):
        assert book.get(price) != quantity, "what did not change is not told"
        book[price] = quantity
    assert {price: quantity for price, quantity in book.items() if quantity != "0"} == after


class Desk:
    """A market whose clock and snapshots the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = 10_000
        monkeypatch.setattr(market_streams, "wall_ms", lambda: self.now_ms)
        self.market = Market([])
        self.told: list[tuple[str, Any]] = []
        self.streams = MarketStreams(self.market, lambda name, body: self.told.append((name, orjson.loads(body))))

    def snapshot(self, version: int, bids: list[list[str]], *, after_ms: int = 100) -> None:
        self.now_ms += after_ms
        depth = {"lastUpdateId": version, "E": self.now_ms, "T": self.now_ms, "bids": bids, "asks": [["9", "1"]]}
        keys = ("lastPrice", "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume", "priceChange")
        ticker = dict.fromkeys((*keys, "priceChangePercent", "weightedAvgPrice", "closeTime", "count"), "1")
        self.market.update(
            {each.name: {"mark": 7, "depth": depth, "ticker": ticker | {"symbol": each.name}} for each in SYMBOLS}
        )
        self.streams.update()

    def begin(self, name: str) -> None:
        stream = stream_named(name)
        assert stream is not None
        self.streams.begin(stream)

    def since(self) -> list[tuple[str, Any]]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_each_change_of_the_book_is_chained_to_the_one_before(desk: Desk) -> None:
    desk.snapshot(5, [["8", "1"]])
    desk.begin("btcusdt@depth@100ms")
    desk.begin("btcusdt@depth5@100ms")
    desk.snapshot(5, [["8", "1"]])
    assert desk.since() == []
    desk.snapshot(7, [["8", "2"], ["7", "1"]])
    (_, change), (_, top) = desk.since()
    assert [change[key] for key in ("U", "u", "pu", "b", "a", "s")] == [
        6, 7, 5, [["8", "2"], ["7", "1"]], [], "BTCUSDT",
    ]  # fmt: skip
    assert [top[key] for key in ("pu", "b", "a")] == [5, [["8", "2"], ["7", "1"]], [["9", "1"]]]
    desk.snapshot(9, [["7", "1"]])
    change = desk.since()[0][1]
    assert [change[key] for key in ("U", "u", "pu", "b")] == [8, 9, 7, [["8", "0"]]]


def test_a_slow_stream_joins_what_a_fast_one_tells_apart(desk: Desk) -> None:
    desk.snapshot(1, [])
    desk.begin("btcusdt@depth@500ms")
    for version in range(2, 12):
        desk.snapshot(version, [["8", str(version)]])
    chained = [(event["U"], event["u"], event["pu"]) for _, event in desk.since()]
    assert len(chained) == 2
    assert all(first == before + 1 for first, _, before in chained)
    assert chained[1][2] == chained[0][1]


@pytest.mark.parametrize(
    ("name", "times"),
    [("btcusdt@markPrice@1s", 6), ("btcusdt@markPrice", 2), ("btcusdt@miniTicker", 3), ("!ticker@arr", 3)],
)
def test_statistics_come_at_their_own_pace(desk: Desk, name: str, times: int) -> None:
    desk.snapshot(1, [], after_ms=2_000)  # 12 s: a whole multiple of all of them
    desk.begin(name)
    for version in range(60):
        desk.snapshot(version, [["8", "1"]])
    assert len(desk.since()) == times


def test_streams_of_all_symbols_are_arrays_but_for_the_book_tops(desk: Desk) -> None:
    desk.snapshot(1, [["8", "1"]])
    desk.begin("!markPrice@arr@1s")
    desk.begin("!bookTicker")
    desk.snapshot(2, [["8", "1"]], after_ms=1_000)
    told = desk.since()
    assert [each["s"] for each in told[0][1]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert [event["s"] for name, event in told if name == "!bookTicker"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    desk.streams.end("!bookTicker")
    desk.streams.end("!markPrice@arr@1s")
    desk.snapshot(3, [["8", "1"]], after_ms=1_000)
    assert desk.since() == []
