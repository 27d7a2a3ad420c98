"""Service demand: how many server-seconds of a resource one arrival of each stream costs.

Utilisation law: busy(w) = sum over streams of D[s] * arrivals(w, s), plus what the resource does without any arrival.
The demands D are found by non-negative least squares over windows, as in utilisation-law regression (Rolia & Vetland,
1995). Two pairs are regressed, and the better fit is kept. What was *served* goes with the time used. What was
*offered* goes with the offered work, arrivals * busy / completions: a saturated resource is busy no longer than its
servers allow, but its service time and its arrivals say how long it would have to be.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from chaoskit.analysis.windows import Mask, Series

Basis = Literal["offered", "served", "clean", "none"]
Background = Literal["never", "maybe", "likely", "always"]

GOOD_FIT: Final = 0.1
"""Relative residual up to which windows with failures are believed as well."""

ENOUGH_ERROR: Final = 0.2
"""Windows are enough for a fit when the work of the surge follows from them to this relative standard error."""

VISITS_ERROR: Final = 0.3
"""What is enough to tell how often arrivals come by, measured as if that varied like a service time."""

PREFERENCE: Final = 0.8
"""Arrivals served replace arrivals offered, and background work is believed in, only when they leave less than this
part of the residual."""

VARIED: Final = 2.0
"""Background work can be told from arrivals only where the busiest window has this many times the quietest one's."""

BY_CHANCE: Final = 3.0
"""And where they differ by so many standard errors of a Poisson count: of few arrivals chance makes a pattern."""


@dataclass(frozen=True, slots=True)
class Work:
    """Server-seconds by window: what the arrivals `offered` brought with them, and what was `used`."""

    offered_s: Series
    used_s: Series


@dataclass(frozen=True, slots=True)
class Fit:
    """Seconds of work per arrival of each stream, in the order of the columns; `residual` is relative (0 is exact).

    `basis` says which arrivals explained the work: those `offered`, those `served`, or windows without failures only.
    `background_s` is done in every window without any arrival.
    """

    demand_s: Series
    residual: float
    basis: Basis
    background_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals by window (rows) and stream (columns).

    `clean` marks windows in which nearly all were served, `late` those in which the load generator was behind its plan.
    `surge` holds the arrivals per window in the declared surge: the mix for which demands are to be known.
    """

    offered: NDArray[np.float64]
    served: NDArray[np.float64]
    clean: Mask
    late: Mask
    surge: Series

    def enough(self, rows: Mask, counts: NDArray[np.float64] | None = None, error: float = ENOUGH_ERROR) -> bool:
        """Return whether the windows `rows` alone tell the demand of the surge to `error`, from `offered` or `counts`.

        Few arrivals do not, nor do windows that all have one mix of streams when the surge has another. The error is
        that of weighted least squares for service times that spread as much as their mean (exponential ones, say).
        """
        counts = (self.offered if counts is None else counts)[rows]
        counts = counts[counts.sum(axis=1) > 0]
        if not len(counts):
            return False
        if not (counts.sum(axis=0)[self.surge > 0] > 0).all():
            return False
        information = counts.T @ (counts / counts.sum(axis=1)[:, None])
        # The small ridge makes a direction that no window shows infinitely uncertain instead of raising.
        ridge = 1e-9 * float(np.trace(information)) * np.eye(len(information))
        spread = np.linalg.inv(information + ridge)
        variance = float(self.surge @ spread @ self.surge)
        return variance <= (error * float(self.surge.sum())) ** 2

    def come_through(self, came: Series, rows: Mask, thinned: Mask) -> "Arrivals":
        """Return the arrivals without those that were turned away upstream of a resource that counted who `came`.

        How often an arrival comes by is told by the `rows` in which all came through: by few arrivals, since it varies
        less than any service time. What is missing in the `thinned` windows was turned away, of all streams alike.
        Where the rows tell too little, nothing is changed.
        """
        if not came[rows].any() or not self.enough(rows, error=VISITS_ERROR):
            return self
        visits = _solve(came, self.offered, rows, "offered", above_background=False).demand_s
        expected = self.offered @ visits
        share = np.divide(came, expected, out=np.ones_like(came), where=thinned & (expected > 0))
        return replace(self, offered=self.offered * np.minimum(1.0, share)[:, None])


def non_negative_least_squares(matrix: NDArray[np.float64], target: Series) -> Series:
    """Return x >= 0 that minimises |matrix x - target| (active set method of Lawson & Hanson, 1974)."""
    columns = matrix.shape[1]
    solution = np.zeros(columns)
    passive = np.zeros(columns, dtype=np.bool_)
    scale = float(np.abs(matrix.T @ target).max(initial=0.0))
    for _ in range(3 * columns):
        gradient = matrix.T @ (target - matrix @ solution)
        gradient[passive] = -np.inf
        if passive.all() or gradient.max(initial=-np.inf) <= 1e-10 * scale:
            break
        passive[int(np.argmax(gradient))] = True
        while passive.any():
            trial = np.zeros(columns)
            trial[passive] = np.linalg.lstsq(matrix[:, passive], target, rcond=None)[0]
            if (trial[passive] > 0).all():
                solution = trial
                break
            falling = passive & (trial <= 0)
            steps = solution[falling] / np.maximum(solution[falling] - trial[falling], 1e-300)
            solution = solution + float(steps.min()) * (trial - solution)
            passive &= solution > 1e-15
            solution[~passive] = 0.0
    return solution


def fit(work: Work, arrivals: Arrivals, usable: Mask, background: Background = "maybe") -> Fit:
    """Fit demands to the work of the `usable` windows.

    Work that was refused upstream never reaches a resource, so both pairs, offered and served, are tried and the better
    fit is kept. What was served of one load all the time has one mix, and not that of the surge: it then tells nothing.
    Where neither explains the windows with failures, only the clean ones are believed, provided that they
    hold enough arrivals. `background`: whether the resource also works without arrivals, as a host's CPU always does
    and a program's CPU is likely to, which shows where the load varies. `never` is for what is known too roughly to
    tell work without arrivals from chance.
    """
    offered = _best(work.offered_s, arrivals.offered, usable, "offered", background)
    best = offered
    if arrivals.enough(usable, arrivals.served):
        served = _best(work.used_s, arrivals.served, usable, "served", background)
        best = served if served.residual < PREFERENCE * offered.residual else offered
    clean = usable & arrivals.clean
    if best.residual > GOOD_FIT and arrivals.enough(clean):
        return _best(work.offered_s, arrivals.offered, clean, "clean", background)
    return best


def _best(work_s: Series, counts: NDArray[np.float64], rows: Mask, basis: Basis, background: Background) -> Fit:
    """Fit without background work, and with it where that explains far more (or must be)."""
    plain = _solve(work_s, counts, rows, basis, above_background=False)
    totals = counts[rows].sum(axis=1)
    varied = totals.size > 0 and totals.max() >= VARIED * max(totals.min(), 1.0)
    varied = varied and totals.max() - totals.min() >= BY_CHANCE * np.sqrt(totals.max())
    if background == "never" or (background != "always" and not varied):
        return plain
    widened = _solve(work_s, counts, rows, basis, above_background=True)
    return widened if background != "maybe" or widened.residual < PREFERENCE * plain.residual else plain


def _solve(work_s: Series, counts: NDArray[np.float64], rows: Mask, basis: Basis, *, above_background: bool) -> Fit:
    matrix, target = counts[rows], work_s[rows]
    if not target.any() or not matrix.any():
        return Fit(np.zeros(counts.shape[1]), 0.0 if not target.any() else 1.0, "none")
    # A sum of n service times spreads with sqrt(n): windows are weighed by it, or the surge is all that counts.
    weights = 1.0 / np.sqrt(1.0 + matrix.sum(axis=1))
    if above_background:
        matrix = np.hstack((matrix, np.ones((len(matrix), 1))))
    weighted, goal = matrix * weights[:, None], target * weights
    solution = non_negative_least_squares(weighted, goal)
    residual = float(np.linalg.norm(weighted @ solution - goal) / np.linalg.norm(goal))
    demand_s = solution[: counts.shape[1]]
    return Fit(demand_s, residual, basis, float(solution[-1]) if above_background else 0.0)
