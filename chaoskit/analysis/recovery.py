"""How each stream came back after each fault's lifting and after the surge.

A second is good when at most 1 % of its arrivals, or a single one of several, failed or came late
(`streams.late_bounds_s`). A stream that was not good before a fault either cannot come back from that fault: its
recovery is not known (None), nor is one of which the run saw too little; `reason` says which.
"""

import math
from itertools import pairwise
from typing import Final

import numpy as np

from chaoskit.analysis.observations import Observations
from chaoskit.analysis.result import Recovery
from chaoskit.analysis.windows import Mask, Series
from chaoskit.plan.model import Plan
from chaoskit.units import format_duration

BAD_RATIO: Final = 0.01
LAST_S: Final = 5
"""A stream is lost (metastable) when most of its last seconds at baseline load are bad; a single bad one is a blip.

One that was watched for less after the trigger, or for fewer seconds at baseline load, is not known to be lost."""

BEFORE_S: Final = 3
"""A stream was good before a fault when most of this many seconds before it were."""


def recoveries(seen: Observations) -> tuple[Recovery, ...]:
    """Return one recovery per trigger and stream, triggers in order of time."""
    triggers = [
        (fault.lifted_s, fault.id, fault.applied_s)
        for fault in seen.faults
        if fault.lifted_s is not None and fault.effective is not False
    ]
    if seen.plan.surge_phase is not None:
        surge = seen.plan.phase(seen.plan.surge_phase)
        if surge.end_s < seen.plan.duration_s:
            triggers.append((surge.end_s, f"end of {surge.name}", None))
    return tuple(
        _recovery(seen, name, trigger, since_s, applied_s)
        for since_s, trigger, applied_s in sorted(triggers, key=lambda trigger: trigger[:2])
        for name in seen.names
    )


def _recovery(seen: Observations, stream: str, trigger: str, since_s: float, applied_s: float | None) -> Recovery:
    offered, harmed = _of_stream(seen, stream)
    first, until = math.floor(since_s), _horizon(seen, since_s)
    loaded = offered > 0
    good = _good(offered, harmed)
    seconds = np.arange(len(offered))
    span = (seconds >= first) & (seconds < until) & loaded
    good_at = np.flatnonzero(span & good)
    bad_at = np.flatnonzero(span & ~good)
    first_good_s = max(0.0, float(good_at[0]) - since_s) if good_at.size else None
    settled = good_at[good_at > bad_at[-1]] if bad_at.size else good_at
    stays_good_s = max(0.0, float(settled[0]) - since_s) if settled.size else None
    came_back: bool | None = True if stays_good_s is not None else None
    reason, unsettled_s = "", None
    if applied_s is not None and not _was_good(good & loaded, loaded, math.floor(applied_s)):
        first_good_s = stays_good_s = came_back = None
        reason = "was not good before it either"
    elif not span.any():
        ended = until <= since_s + 1 and seen.watched_s < seen.plan.duration_s
        reason = "was not watched after it, since the run ended first" if ended else "had no load after it"
    elif came_back is None:
        last = np.flatnonzero(span)[-LAST_S:]
        calm = len(last) == LAST_S and all(_calm(seen.plan, second) for second in last.tolist())
        came_back = False if calm and good[last].sum() * 2 < len(last) else None
        if 1 < len(last) == good[last].sum() + 1:
            reason = "had one bad second, the last that was watched"
        else:
            unsettled_s = float(last[-1]) + 1 - since_s
            reason = f"did not settle in the {format_duration(unsettled_s)} that were left to it"
    return Recovery(
        stream=stream,
        trigger=trigger,
        since_s=since_s,
        first_good_s=first_good_s,
        stays_good_s=stays_good_s,
        came_back=came_back,
        backlog=_backlog(seen),
        amplification=_amplification(seen, stream, first, until),
        reason=reason,
        unsettled_s=unsettled_s,
    )


def _good(offered: Series, harmed: Series) -> Mask:
    single = (harmed <= 1) & (harmed < offered / 2)
    good: Mask = (offered == 0) | (harmed <= BAD_RATIO * offered) | single
    return good


def _of_stream(seen: Observations, stream: str) -> tuple[Series, Series]:
    rows = [entry for entry in seen.entries if entry.stream == stream]
    zero = np.zeros(len(seen.arrivals.clean))
    return sum((row.offered for row in rows), zero), sum((row.harmed for row in rows), zero)


def _horizon(seen: Observations, since_s: float) -> int:
    """Return the second at which something else begins: a fault, a phase with more load, or the end of the watch."""
    starts = [fault.applied_s for fault in seen.faults if fault.applied_s is not None]
    phases = seen.plan.phases
    starts += [
        after.start_s
        for before, after in pairwise(phases)
        if any(after.multiply.get(name, 1.0) > before.multiply.get(name, 1.0) for name in seen.names)
    ]
    return math.floor(min([start for start in starts if start > since_s] + [seen.watched_s]))


def _was_good(good: Mask, loaded: Mask, before: int) -> bool:
    window = slice(max(0, before - BEFORE_S), before)
    return bool(good[window].sum() * 2 >= loaded[window].sum())


def _calm(plan: Plan, second: int) -> bool:
    """Return whether the load in `second` is back at baseline."""
    current = [phase for phase in plan.phases if phase.start_s <= second]
    return bool(current) and all(multiple <= 1 for multiple in current[-1].multiply.values())


def _backlog(seen: Observations) -> float:
    """Return the work in queues at the last scrape of each resource."""
    last = {sample.resource: sample.queue_length for sample in seen.history.resources}
    queues = {one.id for one in seen.series.values() if one.kind == "queue"}
    fed = {f"{seen.series[queue].id.rpartition('.')[0]}.{seen.series[queue].feeds}" for queue in queues}
    return sum(length for resource, length in last.items() if resource not in fed)


def _amplification(seen: Observations, stream: str, first: int, until: int) -> float:
    """Return attempts per arrival after the trigger; 1 without retries."""
    batches = [b for b in seen.history.samples if b.stream == stream and first <= b.second < until]
    arrivals = sum(batch.ok + sum(batch.failed.values()) for batch in batches)
    return max(1.0, sum(batch.attempts for batch in batches) / arrivals) if arrivals else 1.0
