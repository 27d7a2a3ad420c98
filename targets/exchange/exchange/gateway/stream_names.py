"""The names of the public streams: `btcusdt@depth@100ms`, `!forceOrder@arr`."""

from dataclasses import dataclass
from functools import lru_cache

from exchange.venue import SYMBOL_BY_NAME, SYMBOLS, Symbol

DEPTH_SPEEDS_MS = {"": 250, "100ms": 100, "250ms": 250, "500ms": 500}
MARK_SPEEDS_MS = {"": 3_000, "1s": 1_000}
STATISTICS_MS = {"": 2_000}
WITH_EACH_SNAPSHOT = {"": 100}
AT_ONCE = {"": 0}
_SPEEDS_MS = {
    "depth": DEPTH_SPEEDS_MS,
    "depth5": DEPTH_SPEEDS_MS,
    "depth10": DEPTH_SPEEDS_MS,
    "depth20": DEPTH_SPEEDS_MS,
    "markPrice": MARK_SPEEDS_MS,
    "ticker": STATISTICS_MS,
    "miniTicker": STATISTICS_MS,
    "bookTicker": WITH_EACH_SNAPSHOT,
    "trade": AT_ONCE,
    "aggTrade": AT_ONCE,
    "forceOrder": AT_ONCE,
}
_OF_ALL = {"!forceOrder@arr", "!markPrice@arr", "!markPrice@arr@1s", "!ticker@arr", "!miniTicker@arr", "!bookTicker"}
FROM_ENGINE = frozenset({"trade", "aggTrade", "forceOrder"})


@dataclass(frozen=True, slots=True)
class Stream:
    """One public stream: `symbols` it tells of, `of_all` in arrays, at most once in `interval_ms` (0: at once)."""

    name: str
    kind: str
    symbols: tuple[Symbol, ...]
    interval_ms: int
    of_all: bool = False

    @property
    def engine_topics(self) -> list[str]:
        """What the engine must tell for it; empty where it is made of the engine's snapshots."""
        return [f"{symbol.name.lower()}@{self.kind}" for symbol in self.symbols] if self.kind in FROM_ENGINE else []


@lru_cache(maxsize=1024)
def stream_named(name: str) -> Stream | None:
    """The stream of that name, or None where there is none."""
    if name.startswith("!"):
        kind, _, rest = name[1:].partition("@")
        if name not in _OF_ALL:
            return None
        return Stream(name, kind, SYMBOLS, _SPEEDS_MS[kind][rest.removeprefix("arr").removeprefix("@")], of_all=True)
    text, _, rest = name.partition("@")
    kind, _, speed = rest.partition("@")
    symbol = SYMBOL_BY_NAME.get(text.upper()) if text == text.lower() else None
    interval_ms = _SPEEDS_MS.get(kind, {}).get(speed)
    if symbol is None or interval_ms is None:
        return None
    return Stream(name, kind, (symbol,), interval_ms)
