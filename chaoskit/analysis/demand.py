"""Service demand: how many server-seconds of a resource one arrival of each stream costs.

Utilisation law: busy(w) = sum over streams of D[s] * arrivals(w, s). The demands D are found by non-negative least
squares over windows, as in utilisation-law regression (Rolia & Vetland, 1995). What is regressed is not busy itself but
the *offered work* of a window, arrivals * busy / completions: a saturated resource is busy no longer than its servers
allow, but its service time and its arrivals say how long it would have to be.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from chaoskit.analysis.windows import Mask, Series

Basis = Literal["offered", "served", "clean", "none"]

GOOD_FIT: Final = 0.1
"""Relative residual up to which windows with failures are believed as well."""

ENOUGH_ERROR: Final = 0.2
"""Windows are enough for a fit when the work of the surge follows from them to this relative standard error."""

PREFERENCE: Final = 0.8
"""Arrivals served replace arrivals offered only when they leave less than this part of the residual."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Seconds of work per arrival of each stream, in the order of the columns; `residual` is relative (0 is exact).

    `basis` says which arrivals explained the work: those `offered`, those `served`, or windows without failures only.
    """

    demand_s: Series
    residual: float
    basis: Basis


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

    def enough(self, rows: Mask) -> bool:
        """Return whether the windows `rows` alone tell the demand of the surge well enough.

        Few arrivals do not, nor do windows that all have one mix of streams when the surge has another. The error is
        that of weighted least squares for service times that spread as much as their mean (exponential ones, say).
        """
        counts = self.offered[rows]
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
        return variance <= (ENOUGH_ERROR * float(self.surge.sum())) ** 2


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


def fit(work_s: Series, arrivals: Arrivals, usable: Mask) -> Fit:
    """Fit demands to the work of the `usable` windows.

    Work that was refused upstream never reaches a resource, so both the arrivals offered and those served are tried
    and the better fit is kept. Where neither explains the windows with failures, only the clean ones are believed,
    provided that they hold enough arrivals.
    """
    offered = _solve(work_s, arrivals.offered, usable, "offered")
    served = _solve(work_s, arrivals.served, usable, "served")
    best = served if served.residual < PREFERENCE * offered.residual else offered
    clean = usable & arrivals.clean
    if best.residual > GOOD_FIT and arrivals.enough(clean):
        return _solve(work_s, arrivals.offered, clean, "clean")
    return best


def fit_above_background(work_s: Series, arrivals: Arrivals, usable: Mask) -> Fit:
    """Fit demands to work that also has a part without arrivals, such as a host's CPU; that part is not returned."""
    always = np.ones((len(work_s), 1))
    offered, served = (np.hstack((counts, always)) for counts in (arrivals.offered, arrivals.served))
    widened = Arrivals(offered, served, arrivals.clean, arrivals.late, np.append(arrivals.surge, 0.0))
    found = fit(work_s, widened, usable)
    return Fit(found.demand_s[:-1], found.residual, found.basis)


def _solve(work_s: Series, counts: NDArray[np.float64], rows: Mask, basis: Basis) -> Fit:
    matrix, target = counts[rows], work_s[rows]
    if not target.any() or not matrix.any():
        return Fit(np.zeros(counts.shape[1]), 0.0 if not target.any() else 1.0, "none")
    # A sum of n service times spreads with sqrt(n): windows are weighed by it, or the surge is all that counts.
    weights = 1.0 / np.sqrt(1.0 + matrix.sum(axis=1))
    weighted, goal = matrix * weights[:, None], target * weights
    demand_s = non_negative_least_squares(weighted, goal)
    residual = float(np.linalg.norm(weighted @ demand_s - goal) / np.linalg.norm(goal))
    return Fit(demand_s, residual, basis)
