"""Abort rules: stop the run once a bound has been broken for long enough."""

import math
import re
from collections import deque
from dataclasses import replace
from typing import Final

from chaoskit.analysis.measure import COMPARISONS, measured_quantile_s
from chaoskit.plan.evidence import samples_needed
from chaoskit.plan.model import AbortRule, Objective, Plan, PlannedStream
from chaoskit.records import Histogram
from chaoskit.runner.window import Seconds, Tally, merged

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

    A percentile that so few arrivals as come in a second cannot carry is judged over the whole of `for` instead. The
    rule then trips where it would be broken even if all arrivals that the percentile lacks (a p99 needs 300) had been
    in time, and where some arrivals were beyond the bound in each half of `for`: a single bad moment does not last.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def tripped(self, seconds: Seconds, complete_until: int) -> str | None:
        """Return the sentence of the first rule that has tripped, looking at seconds before `complete_until`."""
        for rule in self._plan.abort_rules:
            length = max(1, round(rule.for_s))
            streams = [one for one in self._plan.streams if rule.objective.stream in {one.name, None}]
            timeout_s = math.ceil(max((stream.timeout_s for stream in streams), default=0))
            window: deque[Tally] = deque(maxlen=length)
            for number in range(max(0, complete_until - timeout_s - length - _LATE_S), complete_until):
                overdue = number + 1 + timeout_s <= complete_until
                tally = self._judged(rule, streams, seconds, number, overdue=overdue)
                if tally is None:
                    window.clear()
                    continue
                window.append(tally)
                if len(window) == length and _lasts(rule.objective, list(window)):
                    text = _FOR.sub("", rule.objective.text)
                    return f"{text} held for {length} s, from second {number - length + 1} to {number}"
        return None

    def _judged(
        self, rule: AbortRule, streams: list[PlannedStream], seconds: Seconds, number: int, *, overdue: bool
    ) -> Tally | None:
        """Return what is known of second `number`; None where the rule does not speak of it, or not yet."""
        if rule.objective.phase is not None:
            phase = self._plan.phase(rule.objective.phase)
            if not phase.start_s <= number <= phase.end_s - 1:
                return None
        tally = seconds.tally([stream.name for stream in streams], number, number)
        planned = sum(_planned(stream, number) for stream in streams)
        # A second without any arrival breaks nothing; of a percentile, it interrupts nothing either.
        idle = not (planned or tally.arrivals) and rule.objective.quantile is None
        return None if idle or (tally.arrivals < planned and not overdue) else tally


def _lasts(objective: Objective, window: list[Tally]) -> bool:
    """Return whether `objective` is broken in every second of `window`, or all through where a second is too little."""
    if objective.metric in {"quantile", "service_quantile"} and objective.quantile is not None:
        needed = samples_needed(objective.quantile)
        if needed and any(tally.arrivals < needed for tally in window):
            half = len(window) // 2
            halves = [merged(part) for part in (window[:half], window[half:]) if part]
            lasting = all(_breaks(replace(objective, quantile=1.0), tally) for tally in halves)
            return lasting and _breaks(objective, merged(window), needed)
    return all(_breaks(objective, tally) for tally in window)


def _breaks(objective: Objective, tally: Tally, needed: int = 0) -> bool:
    """Return whether `objective` is broken, also if those of `needed` arrivals that are missing had all kept it."""
    lacking = max(0, needed - tally.arrivals)
    if lacking:
        upper = objective.comparison in {"<", "<="}
        kept = Histogram.of_us([0] * lacking if upper else [])
        tally = replace(
            tally,
            response_us=Histogram.merged((tally.response_us, kept)),
            service_us=Histogram.merged((tally.service_us, kept)),
            failed=tally.failed + (0 if upper else lacking),
        )
    value = measured(objective, tally, 1.0)
    return value is not None and not COMPARISONS[objective.comparison](value, objective.bound)


def _planned(stream: PlannedStream, second: int) -> int:
    return stream.expected_per_second[second] if second < len(stream.expected_per_second) else 0
