"""A mergeable high-dynamic-range histogram of whole microseconds.

Buckets as in HdrHistogram (G. Tene): values below 512 µs are exact, above that each power of two is cut into 256 equal
buckets, so a value is known to within 1/256 (0.4 %) of itself. Merging adds counts and loses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLES_BEYOND: Final = 3
"""A quantile q is carried by n samples when n (1 - q) is at least this, the rule of three: with 95 % probability one of
so many samples lies beyond the true quantile, so that a breach would have shown (p99: 300 samples)."""

_SUB_BITS = 8
_SUB_BUCKETS = 1 << _SUB_BITS


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts per bucket, sparse: `counts[i]` values fell into bucket `buckets[i]` (ascending).

    `total_us` and `max_us` are exact over what was recorded; quantiles are exact to 1/256.
    """

    buckets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    total_us: int = 0
    max_us: int = 0

    @classmethod
    def of_us(cls, values_us: Iterable[int] | NDArray[np.int64]) -> "Histogram":
        """Record `values_us` (whole microseconds; negative ones count as 0)."""
        values = np.asarray(values_us if isinstance(values_us, np.ndarray) else list(values_us), dtype=np.int64)
        if values.size == 0:
            return cls()
        values = np.maximum(values, 0)
        exponents = np.frexp(np.maximum(values, 1).astype(np.float64))[1] - 1 - _SUB_BITS
        shifts = np.maximum(exponents, 0)
        buckets, counts = np.unique(shifts * _SUB_BUCKETS + (values >> shifts), return_counts=True)
        return cls(
            tuple(buckets.tolist()),
            tuple(counts.tolist()),
            total_us=int(values.sum()),
            max_us=int(values.max()),
        )

    @classmethod
    def merged(cls, parts: "Iterable[Histogram]") -> "Histogram":
        """Return the histogram of everything that `parts` recorded."""
        kept = [part for part in parts if part.buckets]
        if len(kept) <= 1:
            return kept[0] if kept else cls()
        sums: dict[int, int] = {}
        for part in kept:
            for bucket, count in zip(part.buckets, part.counts, strict=True):
                sums[bucket] = sums.get(bucket, 0) + count
        buckets = sorted(sums)
        return cls(
            tuple(buckets),
            tuple(sums[bucket] for bucket in buckets),
            total_us=sum(part.total_us for part in kept),
            max_us=max(part.max_us for part in kept),
        )

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self.counts)

    @property
    def mean_us(self) -> float:
        """The exact mean; 0 when empty."""
        return self.total_us / self.count if self.counts else 0.0

    def quantile_us(self, quantile: float) -> int | None:
        """Return the upper edge of the bucket at `quantile` (0 … 1), never above `max_us`; None when empty."""
        if not self.counts:
            return None
        rank = max(1, int(np.ceil(quantile * self.count)))
        position = int(np.searchsorted(np.cumsum(self.counts), rank))
        return min(_highest_us(self.buckets[position]), self.max_us)

    def carried_us(self, quantile: float) -> int | None:
        """Return `quantile_us`, None where so few values cannot carry it: then it is not to be told."""
        return self.quantile_us(quantile) if carried(self.count, quantile) else None

    def share_above(self, bound_us: int) -> float:
        """Return the share (0 … 1) of values above `bound_us`, to the bucket; 0 when empty."""
        above = sum(
            count for bucket, count in zip(self.buckets, self.counts, strict=True) if _highest_us(bucket) > bound_us
        )
        return above / self.count if self.counts else 0.0


def carried(count: int, quantile: float) -> bool:
    """Return whether `count` samples can carry `quantile`; see `SAMPLES_BEYOND`."""
    return count > 0 and count * (1 - quantile) >= SAMPLES_BEYOND - 1e-9


def _highest_us(bucket: int) -> int:
    shift = max(0, bucket // _SUB_BUCKETS - 1)
    return ((bucket - shift * _SUB_BUCKETS + 1) << shift) - 1
