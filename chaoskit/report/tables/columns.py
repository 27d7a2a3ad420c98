"""What all tables share: columns apart, numbers rounded, time in cells, counters differenced.

Times are seconds since the run's zero. Runs longer than `MAX_CELLS` seconds are drawn in cells of several seconds, so
that the page stays small.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chaoskit.plan.model import Plan
from chaoskit.records import History

Value: TypeAlias = float | int | str | None
Table: TypeAlias = dict[str, list[Value]]
Floats: TypeAlias = NDArray[np.float64]

MAX_CELLS: Final = 300
MAX_GAP_S: Final = 3.0


def rounded(value: float | None, digits: int = 3) -> float | None:
    """Return `value` with `digits` significant digits; None for None and for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) else short


def table(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Table:
    """Return `rows` turned into one list per column."""
    turned: Table = {column: [] for column in columns}
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            turned[column].append(value)
    return turned


def end_s(plan: Plan, history: History) -> float:
    """Return where the time axis ends: the planned end, or the last arrival or phase beyond it."""
    samples = max((sample.second + 1 for sample in history.samples), default=0)
    phases = max((event.t_s for event in history.phases), default=0.0)
    return float(math.ceil(max(plan.duration_s, samples, phases, 1.0)))


def cell_s(plan: Plan, history: History) -> int:
    """Return the length of one cell of the time axis in whole seconds."""
    return max(1, math.ceil(end_s(plan, history) / MAX_CELLS))


def cell_edges(times: Floats, cell: int) -> Floats:
    """Return the edges of the whole cells that `times` cover; at least two edges or none."""
    first, last = math.floor(times[0] / cell), math.ceil(times[-1] / cell)
    return np.arange(max(first, 0), last + 1, dtype=np.float64) * cell


def cell_growth(times: Floats, counter: Sequence[float], edges: Floats) -> Floats:
    """Return how much a cumulative counter grew in each cell; NaN where nobody looked for `MAX_GAP_S`.

    A counter that falls was started again: its fall counts as no growth.
    """
    grown = np.maximum(np.diff(np.asarray(counter, dtype=np.float64)), 0.0)
    grown[np.diff(times) > max(MAX_GAP_S, 2 * (edges[1] - edges[0]) if len(edges) > 1 else MAX_GAP_S)] = math.nan
    total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(grown))))
    growth = np.diff(np.interp(edges, times, total))
    for place in np.flatnonzero(np.isnan(grown)):
        growth[(edges[:-1] < times[place + 1]) & (edges[1:] > times[place])] = math.nan
    return growth
