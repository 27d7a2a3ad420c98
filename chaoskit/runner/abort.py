"""Abort rules: stop the run once a bound has been broken for long enough."""

import math
import re
from typing import Final

from chaoskit.analysis.measure import COMPARISONS, measured_quantile_s
from chaoskit.plan.model import AbortRule, Objective, Plan, PlannedStream
from chaoskit.runner.window import Seconds, Tally

_FOR: Final = re.compile(r"\s+for\s+\S+$")
_LATE_S: Final = 2
"""A second is looked at this much longer than its answers may take: the generator itself may have been late."""


def measured(objective: Objective, tally: Tally, length_s: float) -> float | None:
    """Return what `objective` measures over `tally`, in its own unit; None where there is nothing to measure."""
    match objective.metric:
        case "errors":
            return tally.errors_ratio if tally.arrivals else None
        case "rate":
            return tally.ok / length_s
        case "amplification":
            return tally.attempts / tally.arrivals if tally.arrivals else None
        case "quantile" | "service_quantile":
            histogram = tally.response_us if objective.metric == "quantile" else tally.service_us
            return measured_quantile_s(
                histogram, tally.failed, 0.5 if objective.quantile is None else objective.quantile
            )
        case _:  # known after the run only
            return None


class AbortWatch:
    """Asks every rule after each second; a rule trips when every one of some `for_s` seconds in a row broke it.

    A rule's text says what must *not* last, `errors > 95% for 15s`; its objective is the opposite, `errors <= 95%`.
    A second is that of the intended start, so what times out is known a timeout later: each second is looked at until
    then, and judged once all its planned arrivals are accounted for or the last of them must have timed out.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def tripped(self, seconds: Seconds, complete_until: int) -> str | None:
        """Return the sentence of the first rule that has tripped, looking at seconds before `complete_until`."""
        for rule in self._plan.abort_rules:
            length = max(1, round(rule.for_s))
            streams = [one for one in self._plan.streams if rule.objective.stream in {one.name, None}]
            timeout_s = math.ceil(max((stream.timeout_s for stream in streams), default=0))
            broken = 0
            for number in range(max(0, complete_until - timeout_s - length - _LATE_S), complete_until):
                overdue = number + 1 + timeout_s <= complete_until
                broken = broken + 1 if self._breaks(rule, streams, seconds, number, overdue=overdue) else 0
                if broken == length:
                    text = _FOR.sub("", rule.objective.text)
                    return f"{text} held for {length} s, from second {number - length + 1} to {number}"
        return None

    def _breaks(
        self, rule: AbortRule, streams: list[PlannedStream], seconds: Seconds, number: int, *, overdue: bool
    ) -> bool:
        objective = rule.objective
        if objective.phase is not None:
            phase = self._plan.phase(objective.phase)
            if not phase.start_s <= number <= phase.end_s - 1:
                return False
        tally = seconds.tally([stream.name for stream in streams], number, number)
        planned = sum(_planned(stream, number) for stream in streams)
        if not (planned or tally.arrivals) or (tally.arrivals < planned and not overdue):
            return False
        value = measured(objective, tally, 1.0)
        return value is not None and not COMPARISONS[objective.comparison](value, objective.bound)


def _planned(stream: PlannedStream, second: int) -> int:
    return stream.expected_per_second[second] if second < len(stream.expected_per_second) else 0
