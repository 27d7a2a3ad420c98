"""Load processes that were lost in mid-run: what went with them, and whether that changes what the run proves."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from chaoskit.analysis.objectives import objective_results
from chaoskit.analysis.observations import Observations
from chaoskit.analysis.result import Check
from chaoskit.analysis.streams import in_phase
from chaoskit.records import LOST, History, SampleBatch

LOST_RATIO: Final = 0.01
"""So much of a stream's arrivals in one phase may be lost with load processes: as much as offered load may differ."""


def lost_workers(seen: Observations) -> Iterator[Check]:
    """Yield a check for the load processes that were lost, none where all lasted.

    It fails where the load ended with them, where more than `LOST_RATIO` of a stream's arrivals in a phase are lost,
    and where an objective is missed that would be met if nothing had been lost.
    """
    events = [event for event in seen.history.events if event.event == "worker_lost"]
    if not events:
        return
    said = " ".join(f"A load worker was lost at t = {event.t_s:.1f} s: {event.detail}." for event in events)
    ratio, where = _worst_share(seen)
    hinging = _hinging(seen)
    if seen.was_killed:
        doubt = " The load ended with it."
    elif ratio > LOST_RATIO:
        doubt = f" That is {ratio:.1%} of {where}; more than {LOST_RATIO:.0%} leaves too much unknown."
    elif hinging:
        doubt = f" Without that, {' and '.join(hinging)} would have been met."
    else:
        yield Check("load workers", True, f"{said} That is {ratio:.2%} of {where} at most, and changes no objective.")
        return
    yield Check("load workers", False, said + doubt)


def _worst_share(seen: Observations) -> tuple[float, str]:
    """Return the largest share of a stream's arrivals in a phase that was lost, and of what."""
    lost, offered = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for batch in seen.history.samples:
        for phase in seen.plan.phases:
            if in_phase(batch, phase):
                offered[batch.stream, phase.name] += batch.ok + sum(batch.failed.values())
                lost[batch.stream, phase.name] += batch.failed.get(LOST, 0)
    shares = {key: lost[key] / count for key, count in offered.items() if count}
    worst = max(shares, key=lambda key: (shares[key], key), default=None)
    return (0.0, "the load") if worst is None else (shares[worst], f"{worst[0]} in {worst[1]}")


def _hinging(seen: Observations) -> list[str]:
    """Return the objectives that are missed, but would be met had everything that was lost gone well."""
    judged = replace(seen.plan, objectives=tuple(one for one in seen.plan.objectives if one.metric != "recovery"))
    spared = History(samples=[_spared(batch) for batch in seen.history.samples])
    pairs = zip(objective_results(judged, seen.history, ()), objective_results(judged, spared, ()), strict=True)
    return [f"'{with_lost.text}'" for with_lost, without in pairs if with_lost.met is False and without.met]


def _spared(batch: SampleBatch) -> SampleBatch:
    if LOST not in batch.failed:
        return batch
    failed = {reason: count for reason, count in batch.failed.items() if reason != LOST}
    return replace(batch, ok=batch.ok + batch.failed[LOST], failed=failed)
