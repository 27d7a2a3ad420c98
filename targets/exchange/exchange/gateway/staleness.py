"""How old the positions are that clients are told."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from service.ages import Ages


class Staleness(Ages):
    """Ages of served positions: a histogram of all, and a gauge with the age of the latest one."""

    def __init__(self) -> None:
        super().__init__("exchange_position_age_seconds", "Ages of all positions served")
        self.latest_s = 0.0

    def observe(self, age_s: float) -> None:
        """A position read was served whose data was complete up to `age_s` ago."""
        super().observe(age_s)
        self.latest_s = age_s

    def collect(self) -> Iterator[Metric]:
        """The two families."""
        yield GaugeMetricFamily(
            "exchange_position_staleness_seconds",
            "Age of the position that was served last: changes younger than this may be missing in it",
            value=self.latest_s,
        )
        yield from super().collect()
