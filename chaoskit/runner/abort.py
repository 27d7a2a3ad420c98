"""Abort rules: stop the run once a bound has been broken for long enough."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from chaoskit.plan.model import AbortRule, Comparison, Objective
from chaoskit.runner.window import Seconds, Tally

COMPARISONS: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def measured(objective: Objective, tally: Tally, length_s: float) -> float | None:
    """Return what `objective` measures over `tally`, in its own unit; None where there is nothing to measure."""
    match objective.metric:
        case "errors":
            return tally.errors_ratio if tally.ok + tally.failed else None
        case "rate":
            return tally.ok / length_s
        case "quantile" | "service_quantile":
            histogram = tally.response_us if objective.metric == "quantile" else tally.service_us
            value_us = histogram.quantile_us(objective.quantile if objective.quantile is not None else 0.5)
            return None if value_us is None else value_us / 1e6
        case "recovery":
            return None


class AbortWatch:
    """Asks every rule after each second; a rule trips when every one of its last `for_s` seconds broke it.

    A rule's text says what must *not* last, `errors > 95% for 15s`; its objective is the opposite, `errors <= 95%`.
    """

    def __init__(self, rules: Iterable[AbortRule], streams: Iterable[str]) -> None:
        self._rules = tuple(rules)
        self._streams = tuple(streams)

    def tripped(self, seconds: Seconds, complete_until: int) -> str | None:
        """Return the sentence of the first rule that has tripped, looking at seconds before `complete_until`."""
        for rule in self._rules:
            objective = rule.objective
            streams = (objective.stream,) if objective.stream else self._streams
            length = max(1, round(rule.for_s))
            first = complete_until - length
            if first >= 0 and all(
                self._breaks(rule, seconds, streams, number) for number in range(first, complete_until)
            ):
                return f"{objective.text} held for {length} s, from second {first} to {complete_until - 1}"
        return None

    def _breaks(self, rule: AbortRule, seconds: Seconds, streams: tuple[str, ...], number: int) -> bool:
        value = measured(rule.objective, seconds.tally(streams, number, number), 1.0)
        return value is not None and not COMPARISONS[rule.objective.comparison](value, rule.objective.bound)
