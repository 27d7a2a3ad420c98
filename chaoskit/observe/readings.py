"""Turns one scrape of one instance into records: its resources, and what its manifest declares of its trade."""

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chaoskit.observe.exposition import Sample
from chaoskit.observe.mapped import MappedResource
from chaoskit.observe.operands import Operands
from chaoskit.plan.model import Plan
from chaoskit.records import FigureSample, MetricSample, ResourceSample

_FAMILIES: Final = frozenset(
    {
        "servers",
        "busy_seconds_total",
        "blocked_seconds_total",
        "arrivals_total",
        "completions_total",
        "rejections_total",
        "wait_seconds_total",
        "queue_length",
        "queue_limit",
    }
)
"""The resource metrics (CONTRIBUTING, "Add a target"), without their prefix."""


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
    """What one instance's scrapes mean.

    `strangers` collects resources that it reports and the plan does not know, `lacking` the selectors of mapped
    resources that selected nothing in a scrape, each with a sentence that says so.
    """

    _PREFIX = "resource_"

    def __init__(self, plan: Plan, instance: str) -> None:
        self._instance = instance
        own = [one for one in plan.resources if one.instance == instance]
        self._ids = {one.name: one.id for one in own if one.mapping is None}
        self._mapped = {one.id: MappedResource(one.id, one.mapping) for one in own if one.mapping is not None}
        component = next((one.component for one in plan.instances if one.name == instance), instance)
        self._figures = [figure.metric for figure in plan.figures if figure.component == component]
        self._operands = Operands([one for one in plan.findings if one.component in {None, component}], instance)
        self._means: dict[str, tuple[float, float]] = {}
        self.strangers: set[str] = set()
        self.lacking: dict[str, str] = {}

    def read(self, samples: Iterable[Sample], t_s: float) -> Iterator[ResourceSample | FigureSample | MetricSample]:
        """Yield a record for each known resource, figure and operand of a finding in `samples`, taken at `t_s`."""
        resources: dict[str, _Counters] = defaultdict(_Counters)
        families: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            family = sample.name.removeprefix(self._PREFIX)
            if family in _FAMILIES and family != sample.name:
                resources[sample.labels.get("resource", "")].add(family, sample)
            else:
                families[sample.name].append(sample)
        for name, counters in resources.items():
            if resource := self._ids.get(name):
                yield counters.record(t_s, resource)
            else:
                self.strangers.add(name)
        yield from self._read_mapped(families, t_s)
        for figure in self._figures:
            if (value := self._figure(figure, families)) is not None:
                yield FigureSample(t_s, self._instance, figure, value)
        yield from self._operands.read(families, t_s)

    def _read_mapped(self, families: Mapping[str, Sequence[Sample]], t_s: float) -> Iterator[ResourceSample]:
        for resource, mapped in self._mapped.items():
            record = mapped.read(families, t_s)
            if record is not None:
                yield record
            for selector in mapped.lacking.keys() - self.lacking.keys():
                means = "so nothing is known of it" if mapped.lacking[selector] else "which counts as 0"
                self.lacking[selector] = f"{resource}: {_lack(selector, families)}, {means}"

    def _figure(self, figure: str, families: Mapping[str, Sequence[Sample]]) -> float | None:
        """Return one value for a figure: of a counter (`…_total`) the sum over its labels, of a gauge the largest.

        Of a histogram or summary it is the mean of what was observed since the scrape before; None if that is nothing.
        """
        values = [one.value for one in families.get(figure, ())]
        if values:
            return sum(values) if figure.endswith("_total") else max(values)
        if f"{figure}_count" not in families:
            return None
        count, total = (sum(one.value for one in families.get(f"{figure}_{part}", ())) for part in ("count", "sum"))
        count_before, total_before = self._means.get(figure, (0.0, 0.0))
        self._means[figure] = count, total
        if count < count_before:  # the instance was started anew
            count_before, total_before = 0.0, 0.0
        return (total - total_before) / (count - count_before) if count > count_before else None


def _lack(selector: str, families: Collection[str]) -> str:
    """Say why `selector` has no series among the metrics called `families`."""
    name = selector.partition("{")[0].strip()
    if name in families:
        return f"no series of {name} has the labels of {selector}"
    near = difflib.get_close_matches(name, families, n=1)
    return f"its metrics have no {name}{f' (but {near[0]})' if near else ''}"
