"""How old the positions are that clients are told."""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Staleness(Collector):
    """Ages of served positions: a histogram of all, and a gauge with the age of the latest one."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self.latest_s = 0.0

    def observe(self, age_s: float) -> None:
        """A position read was served whose data was complete up to `age_s` ago."""
        self._counts[bisect_left(BOUNDS_S, age_s)] += 1
        self._sum_s += age_s
        self.latest_s = age_s

    def collect(self) -> Iterator[Metric]:
        """The two families."""
        yield GaugeMetricFamily(
            "exchange_position_staleness_seconds",
            "Age of the position that was served last: changes younger than this may be missing in it",
            value=self.latest_s,
        )
        buckets = []
        total = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        ages = HistogramMetricFamily("exchange_position_age_seconds", "Ages of all positions served")
        ages.add_metric([], buckets, self._sum_s)
        yield ages
