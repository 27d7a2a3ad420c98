"""Streams that are made of the engine's snapshots: book changes, book tops, mark prices and statistics.

A change of the book is the difference between two snapshots, so the streams cost the engine nothing, and they agree
with what this gateway answers at `/fapi/v1/depth`: 100 levels a side. A level that falls behind the hundredth is told
as gone.
"""

from collections.abc import Callable
from typing import Any

import orjson
from service.wall import wall_ms

from exchange.gateway.market import Market
from exchange.gateway.stream_names import Stream
from exchange.venue import Symbol

Event = dict[str, object]
Levels = list[list[str]]
EACH_SNAPSHOT_MS = 100
_DEPTHS = {"depth5": 5, "depth10": 10, "depth20": 20}


class MarketStreams:
    """Tells `publish` the messages of the streams that were begun, with each new snapshot of the market."""

    def __init__(self, market: Market, publish: Callable[[str, bytes], None]) -> None:
        self._market = market
        self._publish = publish
        self._streams: dict[str, Stream] = {}
        self._slots: dict[str, int] = {}
        self._books: dict[str, dict[str, Any]] = {}  # what the subscribers of a depth stream know

    def begin(self, stream: Stream) -> None:
        """From now on publish this one."""
        self._streams[stream.name] = stream
        self._slots[stream.name] = _slot(stream)
        if stream.kind.startswith("depth") and self._market.known:
            self._books[stream.name] = self._market.snapshot(stream.symbols[0])["depth"]

    def end(self, name: str) -> None:
        """Stop publishing it."""
        self._streams.pop(name, None)
        self._slots.pop(name, None)
        self._books.pop(name, None)

    def update(self) -> None:
        """The market has a new snapshot: publish what is due."""
        for stream in tuple(self._streams.values()):
            slot = _slot(stream)
            if slot == self._slots[stream.name] and stream.interval_ms > EACH_SNAPSHOT_MS:
                continue
            self._slots[stream.name] = slot
            events = [event for symbol in stream.symbols if (event := self._event(stream, symbol)) is not None]
            if stream.of_all and stream.kind != "bookTicker":
                self._publish(stream.name, orjson.dumps(events))
            else:
                for event in events:
                    self._publish(stream.name, orjson.dumps(event))

    def _event(self, stream: Stream, symbol: Symbol) -> Event | None:
        snapshot = self._market.snapshot(symbol)
        if stream.kind.startswith("depth"):
            return self._depth(stream, symbol, snapshot["depth"])
        if stream.kind == "markPrice":
            return _mark_price(self._market.premium(symbol))
        if stream.kind == "bookTicker":
            return _book_ticker(symbol, snapshot["depth"])
        return _ticker(snapshot["ticker"], mini=stream.kind == "miniTicker")

    def _depth(self, stream: Stream, symbol: Symbol, book: dict[str, Any]) -> Event | None:
        before = self._books.get(stream.name, book)
        self._books[stream.name] = book
        if book["lastUpdateId"] == before["lastUpdateId"]:
            return None
        levels = _DEPTHS.get(stream.kind)
        return {
            "e": "depthUpdate",
            "E": wall_ms(),
            "T": book["T"],
            "s": symbol.name,
            "U": before["lastUpdateId"] + 1,
            "u": book["lastUpdateId"],
            "pu": before["lastUpdateId"],
            "b": book["bids"][:levels] if levels else changes(before["bids"], book["bids"]),
            "a": book["asks"][:levels] if levels else changes(before["asks"], book["asks"]),
        }


def changes(before: Levels, after: Levels) -> Levels:
    """Levels (price, quantity) that are new or have another quantity, and those that are gone, with quantity 0."""
    known = {price: quantity for price, quantity in before}  # noqa: C416 - of lists, which dict() takes for no pairs
    changed = [level for level in after if known.pop(level[0], None) != level[1]]
    return changed + [[price, "0"] for price in known]


def _slot(stream: Stream) -> int:
    return wall_ms() // max(1, stream.interval_ms)


def _mark_price(premium: dict[str, object]) -> Event:
    return {
        "e": "markPriceUpdate",
        "E": premium["time"],
        "s": premium["symbol"],
        "p": premium["markPrice"],
        "i": premium["indexPrice"],
        "P": premium["markPrice"],
        "r": premium["lastFundingRate"],
        "T": premium["nextFundingTime"],
    }


def _book_ticker(symbol: Symbol, book: dict[str, Any]) -> Event | None:
    if not book["bids"] or not book["asks"]:
        return None
    (bid, bid_quantity), (ask, ask_quantity) = book["bids"][0], book["asks"][0]
    return {
        "e": "bookTicker",
        "E": wall_ms(),
        "T": book["T"],
        "s": symbol.name,
        "u": book["lastUpdateId"],
        "b": bid,
        "B": bid_quantity,
        "a": ask,
        "A": ask_quantity,
    }


def _ticker(ticker: dict[str, Any], *, mini: bool) -> Event:
    event = {
        "e": "24hrMiniTicker" if mini else "24hrTicker",
        "E": wall_ms(),
        "s": ticker["symbol"],
        "c": ticker["lastPrice"],
        "o": ticker["openPrice"],
        "h": ticker["highPrice"],
        "l": ticker["lowPrice"],
        "v": ticker["volume"],
        "q": ticker["quoteVolume"],
    }
    if not mini:
        event |= {
            "p": ticker["priceChange"],
            "P": ticker["priceChangePercent"],
            "w": ticker["weightedAvgPrice"],
            "C": ticker["closeTime"],
            "n": ticker["count"],
        }
    return event
