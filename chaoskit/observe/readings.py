"""Turns one scrape of one instance into records: its resources, and the figures that its manifest declares."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from chaoskit.observe.exposition import Sample
from chaoskit.plan.model import Plan
from chaoskit.records import FigureSample, ResourceSample


@dataclass(slots=True)
class _Counters:
    """The metrics of one resource, summed where a family has more labels than are known here."""

    totals: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    blocked_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    rejections: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, family: str, sample: Sample) -> None:
        if family == "blocked_seconds_total":
            self.blocked_s[sample.labels.get("on", "")] += sample.value
        elif family == "rejections_total":
            self.rejections[sample.labels.get("reason", "")] += sample.value
        else:
            self.totals[family] += sample.value

    def record(self, t_s: float, resource: str) -> ResourceSample:
        totals = self.totals
        return ResourceSample(
            t_s=t_s,
            resource=resource,
            servers=totals.get("servers", 0.0),
            busy_s=totals.get("busy_seconds_total", 0.0),
            blocked_s=dict(self.blocked_s),
            arrivals=totals.get("arrivals_total", 0.0),
            completions=totals.get("completions_total", 0.0),
            rejections=dict(self.rejections),
            wait_s=totals.get("wait_seconds_total", 0.0),
            queue_length=totals.get("queue_length", 0.0),
            queue_limit=totals.get("queue_limit"),
        )


class Readings:
    """What one instance's scrapes mean. `strangers` collects resources that it reports and the plan does not know."""

    _PREFIX = "resource_"

    def __init__(self, plan: Plan, instance: str) -> None:
        self._instance = instance
        self._ids = {one.name: one.id for one in plan.resources if one.instance == instance}
        component = next((one.component for one in plan.instances if one.name == instance), instance)
        self._figures = [figure.metric for figure in plan.figures if figure.component == component]
        self._means: dict[str, tuple[float, float]] = {}
        self.strangers: set[str] = set()

    def read(self, samples: Iterable[Sample], t_s: float) -> Iterator[ResourceSample | FigureSample]:
        """Yield a record for each known resource and figure among `samples`, taken at `t_s`."""
        resources: dict[str, _Counters] = defaultdict(_Counters)
        by_name: dict[str, list[float]] = defaultdict(list)
        for sample in samples:
            if sample.name.startswith(self._PREFIX):
                resources[sample.labels.get("resource", "")].add(sample.name.removeprefix(self._PREFIX), sample)
            else:
                by_name[sample.name].append(sample.value)
        for name, counters in resources.items():
            if resource := self._ids.get(name):
                yield counters.record(t_s, resource)
            else:
                self.strangers.add(name)
        for figure in self._figures:
            if (value := self._figure(figure, by_name)) is not None:
                yield FigureSample(t_s, self._instance, figure, value)

    def _figure(self, figure: str, by_name: Mapping[str, list[float]]) -> float | None:
        """Return one value for a figure: of a counter (`…_total`) the sum over its labels, of a gauge the largest.

        Of a histogram or summary it is the mean of what was observed since the scrape before; None if that is nothing.
        """
        if figure in by_name:
            return sum(by_name[figure]) if figure.endswith("_total") else max(by_name[figure])
        if f"{figure}_count" not in by_name:
            return None
        count, total = sum(by_name[f"{figure}_count"]), sum(by_name.get(f"{figure}_sum", [0.0]))
        count_before, total_before = self._means.get(figure, (0.0, 0.0))
        self._means[figure] = count, total
        if count < count_before:  # the instance was started anew
            count_before, total_before = 0.0, 0.0
        return (total - total_before) / (count - count_before) if count > count_before else None
