"""The mark price: the median of two prices around an index and the last trade, so that one print moves nothing.

Price 1 is the index with the funding that is still to come, price 2 the index with the average gap of the book's middle
over half a minute (30 samples, one a second, as the venue has taken it since 18 September 2025).
"""

from collections import deque
from typing import Protocol

from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS

SAMPLES = 30
SAMPLE_EVERY_MS = 1_000
FUNDING_PERIOD_MS = 8 * 3600 * 1000
RATE_SCALE = 1_000_000


class Index(Protocol):
    """The price that other places pay."""

    def price(self, symbol: int, now_ms: int) -> int:
        """The index of a symbol in ticks, at least 1."""


class OwnBook:
    """The venue's own book as the index: its middle, or the last trade where a side is empty."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def price(self, symbol: int, now_ms: int) -> int:  # noqa: ARG002 - an index may depend on the time
        """The middle of the book, in ticks."""
        market = self._exchange.markets[symbol]
        bid, ask = market.book.bids.best(), market.book.asks.best()
        return (bid.price + ask.price) // 2 if bid and ask else market.last


class MarkPrices:
    """Sets the exchange's marks; `funding` is the rate of a period (8 hours) per million."""

    def __init__(self, exchange: Exchange, index: Index | None = None, funding: int = 0) -> None:
        self._exchange = exchange
        self._own = OwnBook(exchange)
        self._index = index or self._own
        self._funding = funding
        self._gaps: list[deque[int]] = [deque(maxlen=SAMPLES) for _ in SYMBOLS]
        self._next_sample_ms = 0

    def update(self, now_ms: int) -> list[int]:
        """Set all marks as of `now_ms`; returns the symbols whose mark has moved."""
        sampling = now_ms >= self._next_sample_ms
        if sampling:
            self._next_sample_ms = now_ms + SAMPLE_EVERY_MS
        moved = []
        for symbol in range(len(SYMBOLS)):
            index = self._index.price(symbol, now_ms)
            if sampling:
                self._gaps[symbol].append(self._own.price(symbol, now_ms) - index)
            mark = self._median(symbol, index, now_ms)
            if mark != self._exchange.marks[symbol]:
                self._exchange.mark(symbol, mark, now_ms)
                moved.append(symbol)
        return moved

    def _median(self, symbol: int, index: int, now_ms: int) -> int:
        gaps = self._gaps[symbol]
        to_funding_ms = FUNDING_PERIOD_MS - now_ms % FUNDING_PERIOD_MS
        first = index + index * self._funding * to_funding_ms // (FUNDING_PERIOD_MS * RATE_SCALE)
        second = index + sum(gaps) // len(gaps)
        return max(1, sorted((first, second, self._exchange.markets[symbol].last))[1])
