"""What subscribers got: messages, silences and drops by phase, and the objectives that bound them."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from chaoskit.analysis.measure import quantiles_s
from chaoskit.analysis.result import Messages
from chaoskit.plan.evidence import samples_needed
from chaoskit.plan.model import Objective, Plan, PlannedPhase
from chaoskit.records import Histogram, History, MessageBatch, carried


def messages_in(history: History, stream: str, phases: Sequence[PlannedPhase]) -> Messages | None:
    """Sum what the subscribers of `stream` got in `phases`; None where nobody listened."""
    own = [batch for batch in history.messages if batch.stream == stream]
    kept = [batch for batch in own if any(phase.start_s <= batch.second < phase.end_s for phase in phases)]
    if not kept:
        return None
    length_s = sum(phase.end_s - phase.start_s for phase in phases)
    dropped: Counter[str] = Counter()
    for batch in kept:
        dropped.update(batch.dropped)
    messages = sum(batch.messages for batch in kept)
    opened = sum(batch.opened for batch in kept)
    listened = opened + _listening_before(own, min(phase.start_s for phase in phases))
    return Messages(
        listeners=max(_by_second(kept).values()),
        opened=opened,
        messages=messages,
        messages_rps=messages / length_s,
        bytes_per_s=sum(batch.size_bytes for batch in kept) / length_s,
        dropped=dict(sorted(dropped.items())),
        drops_ratio=dropped.total() / listened if listened else 0.0,
        silence_s=quantiles_s(batch.silence_us for batch in kept),
        age_s=quantiles_s(batch.age_us for batch in kept),
    )


def judge_messages(objective: Objective, plan: Plan, history: History) -> tuple[float | None, str]:
    """Return what an objective on messages measures, in its own unit, and a sentence; None: it cannot be told."""
    phases = [plan.phase(objective.phase)] if objective.phase is not None else list(plan.phases)
    streams = [stream.name for stream in plan.streams if objective.stream in {stream.name, None}]
    batches = [
        batch
        for batch in history.messages
        if batch.stream in streams and any(phase.start_s <= batch.second < phase.end_s for phase in phases)
    ]
    if not batches:
        return None, "nobody listened: no subscription had its first message"
    if objective.metric in {"silence_quantile", "age_quantile"}:
        return _quantile(objective, batches)
    summed = [found for stream in streams if (found := messages_in(history, stream, phases)) is not None]
    if objective.metric == "messages":
        count = sum(each.messages for each in summed)
        return sum(each.messages_rps for each in summed), f"{count:,} messages came"
    dropped = sum(sum(each.dropped.values()) for each in summed)
    start_s = min(phase.start_s for phase in phases)
    own = [batch for batch in history.messages if batch.stream in streams]
    listened = sum(each.opened for each in summed) + _listening_before(own, start_s)
    return dropped / listened if listened else 0.0, f"{dropped:,} of {listened:,} subscriptions were ended for them"


def _quantile(objective: Objective, batches: Sequence[MessageBatch]) -> tuple[float | None, str]:
    of_silence = objective.metric == "silence_quantile"
    merged = Histogram.merged(batch.silence_us if of_silence else batch.age_us for batch in batches)
    quantile = objective.quantile if objective.quantile is not None else 0.99
    what = "seconds of subscribers" if of_silence else "messages that say when they were made"
    if not carried(merged.count, quantile):
        needed = samples_needed(quantile)
        mend = f"it takes {needed:,}: run longer" if needed else "no number of them can"
        return None, f"{merged.count:,} {what} cannot carry this percentile; {mend}"
    measured_us = merged.quantile_us(quantile)
    return (None if measured_us is None else measured_us / 1e6), f"over {merged.count:,} {what}"


def _listening_before(own: Iterable[MessageBatch], start_s: float) -> int:
    """Return how many listened when the second began in which `start_s` lies."""
    return _by_second(own).get(math.ceil(start_s) - 1, 0)


def _by_second(batches: Iterable[MessageBatch]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for batch in batches:
        sums[batch.second] += batch.listeners
    return sums
