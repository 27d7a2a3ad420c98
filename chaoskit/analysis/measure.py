"""What an objective measures, once for the analysis and once for the abort rules: the same rule in both places."""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from chaoskit.metric import Comparison
from chaoskit.records import Histogram

COMPARISONS: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

QUANTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}


def quantiles_s(parts: Iterable[Histogram]) -> dict[str, float]:
    """Return the quantiles (seconds) by name of everything in `parts`, those left out that it cannot carry."""
    merged = Histogram.merged(parts)
    found = {name: merged.carried_us(quantile) for name, quantile in QUANTILES.items()}
    return {name: value_us / 1e6 for name, value_us in found.items() if value_us is not None}


def measured_quantile_s(histogram: Histogram, failed: int, quantile: float) -> float | None:
    """Return the quantile (0 … 1) over all arrivals, in seconds: `histogram` holds the successes, `failed` the rest.

    An arrival that failed was never answered, so it counts as infinitely late, and the result is infinite where the
    quantile falls on one. Otherwise a target would look the faster the more it refuses. None: nothing arrived.
    """
    arrivals = histogram.count + failed
    if arrivals == 0:
        return None
    rank = max(1, math.ceil(quantile * arrivals - 1e-9))
    if rank > histogram.count:
        return math.inf
    # Half a rank below, so that rounding in the division cannot lift it to the next one.
    return (histogram.quantile_us((rank - 0.5) / histogram.count) or 0) / 1e6
