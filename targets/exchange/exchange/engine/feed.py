"""Market data as the engine publishes it: book levels, mark prices and day statistics of every symbol."""

import orjson

from exchange.engine.bodies import levels_body
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS, decimal_text, money_text

DEPTH_LEVELS = 100


def market_feed(exchange: Exchange, now_ms: int) -> bytes:
    """All symbols now: `{symbol: {depth, ticker, mark}}`, depth and ticker in the venue's shapes."""
    snapshot = {}
    for symbol, market, mark in zip(SYMBOLS, exchange.markets, exchange.marks, strict=True):
        price = symbol.price_decimals
        snapshot[symbol.name] = {
            "mark": mark,
            "depth": {
                "lastUpdateId": market.version,
                "E": now_ms,
                "T": now_ms,
                "bids": levels_body(symbol.index, market.book.bids.top(DEPTH_LEVELS)),
                "asks": levels_body(symbol.index, market.book.asks.top(DEPTH_LEVELS)),
            },
            "ticker": {
                "symbol": symbol.name,
                "lastPrice": decimal_text(market.last, price),
                "openPrice": decimal_text(market.opening, price),
                "highPrice": decimal_text(market.high, price),
                "lowPrice": decimal_text(market.low, price),
                "priceChange": decimal_text(market.last - market.opening, price),
                "priceChangePercent": f"{100 * (market.last - market.opening) / market.opening:.3f}",
                "weightedAvgPrice": decimal_text(market.value // market.lots if market.lots else market.last, price),
                "volume": decimal_text(market.lots, symbol.quantity_decimals),
                "quoteVolume": money_text(market.value * symbol.unit_value),
                "count": market.trades,
                "closeTime": now_ms,
            },
        }
    return orjson.dumps(snapshot)
