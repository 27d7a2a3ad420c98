"""What the target's findings are made of, read from one instance's metrics and written down when it has changed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chaoskit.expression import QUANTILES, parse, readings
from chaoskit.observe.exposition import Sample
from chaoskit.plan.finding import PlannedFinding
from chaoskit.records import MetricSample
from chaoskit.selector import Selector

_AGGREGATES: Final = {"max": max, "min": min}


class Operands:
    """The operands of `findings` at one instance.

    A counter without any series counts from 0 once it has one: clients of Prometheus show series with labels only from
    their first event on. What never shows is never written down.
    """

    def __init__(self, findings: Sequence[PlannedFinding], instance: str) -> None:
        self._instance = instance
        wanted = [reading for finding in findings for reading in readings(parse(finding.value))]
        plain = dict.fromkeys((aggregate_of(one.function), one.selector) for one in wanted)
        self._plain = {key: Selector.parse(key[1]) for key in plain if key[0] != "bucket"}
        self._buckets = {key[1]: _of_buckets(key[1]) for key in plain if key[0] == "bucket"}
        self._last: dict[str, float] = {}
        self._before_s: float | None = None

    def read(self, families: Mapping[str, Sequence[Sample]], t_s: float) -> Iterator[MetricSample]:
        """Yield what has changed since the scrape before, taken at `t_s`."""
        for (aggregate, text), selector in self._plain.items():
            values = [one.value for one in families.get(selector.name, ()) if selector.matches(one.labels)]
            if values:
                yield from self._noted(f"{aggregate} {text}", _AGGREGATES.get(aggregate, sum)(values), t_s)
        for text, selector in self._buckets.items():
            sums: dict[str, float] = {}
            for one in families.get(selector.name, ()):
                if selector.matches(one.labels):
                    bound = one.labels.get("le", "")
                    sums[bound] = sums.get(bound, 0.0) + one.value
            for bound, value in sums.items():
                yield from self._noted(f"bucket {bound} {text}", value, t_s)
        self._before_s = t_s

    def _noted(self, reading: str, value: float, t_s: float) -> Iterator[MetricSample]:
        last = self._last.get(reading)
        if value == last:
            return
        self._last[reading] = value
        is_counted = reading.startswith(("sum ", "bucket "))
        if last is None and self._before_s is not None and is_counted:
            yield MetricSample(self._before_s, self._instance, reading, 0.0)
        yield MetricSample(t_s, self._instance, reading, value)


def aggregate_of(function: str) -> str:
    """Return over which aggregate of its series a function is taken: `sum`, `max`, `min`, or the `bucket`s of one."""
    return "bucket" if function in QUANTILES else function if function in _AGGREGATES else "sum"


def _of_buckets(text: str) -> Selector:
    selector = Selector.parse(text)
    return Selector(f"{selector.name}_bucket", selector.matchers)
