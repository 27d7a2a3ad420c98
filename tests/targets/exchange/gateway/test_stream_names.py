import pytest
from exchange.gateway.stream_names import stream_named


@pytest.mark.parametrize(
    ("name", "kind", "interval_ms"),
    [
        ("btcusdt@depth", "depth", 250),
        ("btcusdt@depth@100ms", "depth", 100),
        ("ethusdt@depth20@500ms", "depth20", 500),
        ("solusdt@markPrice", "markPrice", 3_000),
        ("solusdt@markPrice@1s", "markPrice", 1_000),
        ("btcusdt@ticker", "ticker", 2_000),
        ("btcusdt@aggTrade", "aggTrade", 0),
        ("!markPrice@arr@1s", "markPrice", 1_000),
        ("!miniTicker@arr", "miniTicker", 2_000),
        ("!forceOrder@arr", "forceOrder", 0),
        ("!bookTicker", "bookTicker", 100),
    ],
)
def test_names_say_what_how_often_and_of_whom(name: str, kind: str, interval_ms: int) -> None:
    stream = stream_named(name)
    assert stream is not None
    assert (stream.name, stream.kind, stream.interval_ms) == (name, kind, interval_ms)
    assert len(stream.symbols) == (3 if name.startswith("!") else 1)
    assert stream.of_all == name.startswith("!")
    assert bool(stream.engine_topics) == (kind in ("aggTrade", "forceOrder"))


@pytest.mark.parametrize(
    "name",
    [
        "", "btcusdt", "btcusdt@", "@depth", "BTCUSDT@depth", "btcusdt@depth7", "btcusdt@depth@99ms", "dogeusdt@depth",
        "btcusdt@markPrice@3s", "!forceOrder", "!bookTicker@arr", "!depth@arr", "btcusdt@kline_1m", "btcusdt@trade@x@y",
    ],
)  # fmt: skip
def test_other_names_are_none(name: str) -> None:
    assert stream_named(name) is None
