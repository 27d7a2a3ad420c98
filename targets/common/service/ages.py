"""How long things took or how old they were: a histogram of all of them."""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Ages(Collector):
    """A histogram in seconds under the metric `name`; not thread-safe, cheap to observe."""

    def __init__(self, name: str, title: str) -> None:
        self._name = name
        self._title = title
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def observe(self, age_s: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS_S, age_s)] += 1
        self._sum_s += age_s

    def collect(self) -> Iterator[Metric]:
        """The family."""
        buckets = []
        total = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        ages = HistogramMetricFamily(self._name, self._title)
        ages.add_metric([], buckets, self._sum_s)
        yield ages
