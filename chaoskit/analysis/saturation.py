"""When is a resource saturated? Rules on counters, not on the shape of a curve, so that no rescaling moves them.

A window is saturated when
- utilisation is at least `FULL` there and in a neighbouring window (where it is read in ticks, as a processor's is:
  over both together, less what the ticks may hide), or
- work was refused or the queue stood at its limit, with at least half of the servers busy. (Refused by an idle resource
  means that the caller was gone, or the resource was cut off: not that it was full. A limiter needs no such proof: its
  budget may be spent in the first moments of its window.)

A queue without servers (kind `queue`) is evidence for the resource that it feeds.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from chaoskit.analysis.windows import Mask, ResourceSeries

FULL: Final = 0.97
"""Servers busy for this share of a window had no idle time that a scrape could tell from measuring error."""

MOST_HIDDEN: Final = 0.1
"""Ticks excuse no more than this of a utilisation, however few servers there are."""

_AT_LIMIT: Final = 0.98
_HALF: Final = 0.5


def sustained(full: Mask) -> Mask:
    """Return the windows of `full` that have a full neighbour."""
    before = np.concatenate(([False], full[:-1]))
    after = np.concatenate((full[1:], [False]))
    return full & (before | after)


def saturated_windows(series: Mapping[str, ResourceSeries]) -> dict[str, Mask]:
    """Return the saturated windows of each resource, by id; what a queue shows counts for the resource it feeds."""
    found = {resource: _saturated(one) for resource, one in series.items()}
    for one in series.values():
        fed = f"{one.id.rpartition('.')[0]}.{one.feeds}"
        if one.feeds and fed in found:
            found[fed] = found[fed] | found[one.id]
    return {resource: mask for resource, mask in found.items() if series[resource].kind != "queue"}


def _saturated(one: ResourceSeries) -> Mask:
    full = _full(one)
    refused: Mask = one.rejections >= 0.5
    if one.queue_limit:
        refused = refused | (one.queue_length >= _AT_LIMIT * one.queue_limit)
    if one.kind not in {"limiter", "queue"}:
        refused = refused & (one.utilization >= _HALF)
    return full | refused


def _full(one: ResourceSeries) -> Mask:
    if not one.tick_s:
        return sustained((one.utilization >= FULL) & one.known)
    # A window may be two ticks short, one at each end, and its neighbour has what it lacks: but for the outer ends, two
    # windows together are not shorter than one alone.
    hidden = np.minimum(
        np.divide(one.tick_s, one.servers, out=np.zeros_like(one.servers), where=one.servers > 0), MOST_HIDDEN
    )
    near: Mask = (one.utilization >= FULL - 2 * hidden) & one.known
    together = one.utilization[1:] + one.utilization[:-1] >= 2 * FULL - hidden[1:] - hidden[:-1]
    pairs = near[1:] & near[:-1] & together
    return np.concatenate(([False], pairs)) | np.concatenate((pairs, [False]))
