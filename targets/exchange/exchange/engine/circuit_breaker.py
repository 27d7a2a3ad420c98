"""A circuit breaker: trading halts for a while where a price has fallen too far within a window.

As for large shares in the United States ("limit up, limit down": 5 % within five minutes, a pause of five), but for all
symbols at once, as accounts are margined across them. While it lasts, only what reduces a position is accepted.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from service.wall import wall_ms

PER_CENT = 100


@dataclass(frozen=True, slots=True)
class HaltRules:
    """A fall by `fall` per cent, 1 to 99, within `window_ms` halts trading for `halt_ms`."""

    fall: int
    window_ms: int = 300_000
    halt_ms: int = 300_000


class CircuitBreaker:
    """Watches the last prices of all symbols; times are wall-clock milliseconds.

    `turned_away` counts what a halt refused (`order`) and put off (`liquidation`: a step of one).
    """

    def __init__(self, rules: HaltRules) -> None:
        self._rules = rules
        # By symbol, the prices of the window that no later one exceeds: the first is its highest.
        self._highs: dict[int, deque[tuple[int, int]]] = {}
        self._until_ms = 0
        self._halted_ms = 0  # of all halts, the present one to its end
        self.halts = 0
        self.turned_away: Counter[str] = Counter()

    def observe(self, symbol: int, price: int, now_ms: int) -> None:
        """A trade at `price` ticks; the order that makes it is filled to its end, whatever comes of it."""
        rules = self._rules
        if self.is_halted(now_ms):
            return
        highs = self._highs.setdefault(symbol, deque())
        while highs and highs[-1][1] <= price:
            highs.pop()
        highs.append((now_ms, price))
        while highs[0][0] < now_ms - rules.window_ms:
            highs.popleft()
        if price * PER_CENT <= highs[0][1] * (PER_CENT - rules.fall):
            self.halts += 1
            self._until_ms = now_ms + rules.halt_ms
            self._halted_ms += rules.halt_ms
            self._highs.clear()  # trading opens again at the price that it then finds

    def is_halted(self, now_ms: int) -> bool:
        """Whether trading is halted."""
        return now_ms < self._until_ms

    def halted_s(self, now_ms: int) -> float:
        """Seconds of all halts, up to now."""
        return (self._halted_ms - max(0, self._until_ms - now_ms)) / 1000


class BreakerCollector(Collector):
    """Halts, how long they were, and what they turned away."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker

    def collect(self) -> Iterator[Metric]:
        """The families."""
        breaker, now_ms = self._breaker, wall_ms()
        yield GaugeMetricFamily("exchange_halted", "1 while trading is halted", value=breaker.is_halted(now_ms))
        yield CounterMetricFamily("exchange_halts", "Times that trading was halted", value=breaker.halts)
        yield CounterMetricFamily(
            "exchange_halted_seconds", "Time for which trading was halted", value=breaker.halted_s(now_ms)
        )
        turned_away = CounterMetricFamily(
            "exchange_halted_commands", "Orders refused, and steps of liquidations put off", labels=["kind"]
        )
        for kind in ("order", "liquidation"):
            turned_away.add_metric([kind], breaker.turned_away[kind])
        yield turned_away
