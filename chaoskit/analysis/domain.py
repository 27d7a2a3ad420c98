"""What the target's own findings come to: expressions over its metrics, for the whole run and by phase."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from chaoskit.analysis.result import DomainFinding
from chaoskit.expression import QUANTILES, Node, NotMeasured, Reading, evaluate, parse
from chaoskit.plan.finding import PlannedFinding
from chaoskit.plan.model import Objective, Plan
from chaoskit.records import History


@dataclass(slots=True)
class Trace:
    """One reading at one instance: a value holds from its moment until the next one."""

    times_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def at(self, t_s: float) -> float:
        """Return the value at `t_s`; before the first one, that."""
        return self.values[max(0, bisect_right(self.times_s, t_s) - 1)]

    def within(self, start_s: float, end_s: float) -> list[float]:
        """Return the value at `start_s` and all that came after it until `end_s`."""
        first, last = bisect_right(self.times_s, start_s), bisect_right(self.times_s, end_s)
        return [self.at(start_s), *self.values[first:last]]

    def increase(self, start_s: float, end_s: float) -> float:
        """Return how much a counter grew; where it falls, it was started anew from 0."""
        total = 0.0
        for before, after in pairwise(self.within(start_s, end_s)):
            total += after - before if after >= before else after
        return total


Traces = Mapping[str, Sequence[Trace]]
"""By reading (`sum NAME`), one trace for each instance that shows it."""


def domain_findings(plan: Plan, history: History) -> tuple[DomainFinding, ...]:
    """Return every finding of the plan, in its order."""
    return tuple(_finding(planned, plan, _traces(planned, plan, history)) for planned in plan.findings)


def judge_finding(objective: Objective, found: Sequence[DomainFinding]) -> tuple[float | None, str, str]:
    """Return what an objective on a finding measures, a sentence and the finding's unit; None: it cannot be told."""
    finding = next((one for one in found if one.name == objective.finding), None)
    if finding is None:
        return None, f"the target has no finding {objective.finding!r}", ""
    value = finding.value if objective.phase is None else finding.by_phase.get(objective.phase)
    return value, finding.title if value is not None else finding.reason or "not measured in this phase", finding.unit


def _finding(planned: PlannedFinding, plan: Plan, traces: Traces) -> DomainFinding:
    node = parse(planned.value)
    value, reason = _value(node, traces, -math.inf, math.inf)
    by_phase = {phase.name: _value(node, traces, phase.start_s, phase.end_s)[0] for phase in plan.phases}
    return DomainFinding(planned.name, planned.title, planned.unit, value, reason, by_phase, planned.help)


def _value(node: Node, traces: Traces, start_s: float, end_s: float) -> tuple[float | None, str]:
    try:
        value = evaluate(node, lambda reading: _read(reading, traces, start_s, end_s))
    except NotMeasured as error:
        return None, str(error)
    return (value, "") if math.isfinite(value) else (None, "it is no finite number")


def _traces(planned: PlannedFinding, plan: Plan, history: History) -> Traces:
    components = {instance.name: instance.component for instance in plan.instances}
    traces: dict[str, dict[str, Trace]] = {}
    for sample in history.metrics:
        if planned.component in {None, components.get(sample.instance)}:
            trace = traces.setdefault(sample.reading, {}).setdefault(sample.instance, Trace())
            trace.times_s.append(sample.t_s)
            trace.values.append(sample.value)
    return {reading: list(by_instance.values()) for reading, by_instance in traces.items()}


def _read(reading: Reading, traces: Traces, start_s: float, end_s: float) -> float:
    if reading.function in QUANTILES:
        return _quantile(reading, traces, start_s, end_s)
    aggregate = reading.function if reading.function in {"max", "min"} else "sum"
    found = traces.get(f"{aggregate} {reading.selector}", ())
    if not found:
        raise _unseen(reading)
    match reading.function:
        case "increase":
            return sum(trace.increase(start_s, end_s) for trace in found)
        case "first":
            return sum(trace.at(start_s) for trace in found)
        case "last":
            return sum(trace.at(end_s) for trace in found)
        case "max":
            return max(max(trace.within(start_s, end_s)) for trace in found)
        case _:
            return min(min(trace.within(start_s, end_s)) for trace in found)


def _quantile(reading: Reading, traces: Traces, start_s: float, end_s: float) -> float:
    """Return the quantile of what was observed in a stretch, in a straight line within its bucket.

    That is `histogram_quantile` of Prometheus; beyond the last finite bound, that bound.
    """
    counts: dict[float, float] = {}
    for key, found in traces.items():
        kind, _, rest = key.partition(" ")
        edge, _, selector = rest.partition(" ")
        if kind == "bucket" and selector == reading.selector:
            counts[float(edge)] = sum(trace.increase(start_s, end_s) for trace in found)
    if not counts:
        raise _unseen(reading)
    bounds = sorted(counts)
    total = counts[bounds[-1]]
    if total <= 0:
        message = f"{reading.selector} observed nothing"
        raise NotMeasured(message)
    rank = QUANTILES[reading.function] * total
    lower, below = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank and counts[bound] > below:
            inside = (rank - below) / (counts[bound] - below)
            return lower if math.isinf(bound) else lower + (bound - lower) * inside
        lower, below = bound, counts[bound]
    return lower


def _unseen(reading: Reading) -> NotMeasured:
    return NotMeasured(f"no metrics of the target had {reading.selector}")
