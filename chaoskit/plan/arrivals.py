"""When each arrival of a stream is due: exact, seeded, the whole run at once.

The rate of a stream is piecewise linear, so the expected number of arrivals until t, its integral L(t), is piecewise
quadratic and can be inverted in closed form. Inside a segment that begins at t0 with rate a and slope s, the arrival
with expected count y beyond the segment's start comes at

    t0 + 2 y / (a + sqrt(a^2 + 2 s y))

which is the root of a u + s u^2 / 2 = y, in the form that loses no digits for s near 0. Constant arrivals are due at
L^-1(k + 1/2), k = 0, 1, …; Poisson arrivals at L^-1 of the partial sums of unit exponentials (E. Çinlar, Introduction
to Stochastic Processes, 1975, section 4.7: a non-homogeneous Poisson process is a homogeneous one in the time L).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from chaoskit.plan.model import PlannedStream, Segment

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """All arrivals of one stream in order: microseconds since zero, and a seeded 32-bit number for each."""

    times_us: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.times_us)


def schedule(stream: PlannedStream) -> Schedule:
    """Return the whole schedule of an open-model stream; empty for a locustfile's, whose users make their own pace.

    The same stream gives the same arrays on every machine (PCG64; one generator for times, one for keys).
    """
    times_seed, keys_seed = np.random.SeedSequence(stream.seed).spawn(2)
    counts = np.empty(0)
    if stream.users is None:
        total = sum(_expected(segment) for segment in stream.segments)
        counts = _poisson(total, times_seed) if stream.arrivals == "poisson" else _constant(total)
    times_us = np.floor(_invert(stream.segments, counts) * _MICROSECONDS).astype(np.int64)
    if len(times_us):
        np.minimum(times_us, int(stream.segments[-1].end_s * _MICROSECONDS) - 1, out=times_us)
    keys = np.random.Generator(np.random.PCG64(keys_seed)).integers(0, 2**32, len(times_us), dtype=np.uint32)
    return Schedule(times_us, keys)


def share(whole: Schedule, worker: int, workers: int) -> Schedule:
    """Return the part of worker `worker` (0 … workers - 1): each `workers`-th arrival, so that all parts are alike."""
    return Schedule(whole.times_us[worker::workers], whole.keys[worker::workers])


def per_second(whole: Schedule, duration_s: float) -> tuple[int, ...]:
    """Return how many arrivals fall into each second of the run, the last (perhaps partial) one included."""
    seconds = int(np.ceil(duration_s))
    counts = np.bincount(whole.times_us // _MICROSECONDS, minlength=seconds)
    return tuple(counts.tolist())


def _expected(segment: Segment) -> float:
    return (segment.start_rps + segment.end_rps) / 2 * (segment.end_s - segment.start_s)


def _constant(total: float) -> npt.NDArray[np.float64]:
    return np.arange(round(total), dtype=np.float64) + 0.5


def _poisson(total: float, seed: np.random.SeedSequence) -> npt.NDArray[np.float64]:
    generator = np.random.Generator(np.random.PCG64(seed))
    pieces: list[npt.NDArray[np.float64]] = []
    reached = 0.0
    while reached < total:
        missing = total - reached
        draws = generator.standard_exponential(int(missing + 6 * np.sqrt(missing)) + 16)
        pieces.append(reached + np.cumsum(draws))
        reached = float(pieces[-1][-1])
    counts = np.concatenate(pieces) if pieces else np.empty(0)
    return counts[: np.searchsorted(counts, total)]


def _invert(segments: Sequence[Segment], counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the times in seconds at which the expected number of arrivals reaches each of the sorted `counts`."""
    times_s = np.empty_like(counts)
    before, start = 0.0, 0
    for segment in segments:
        expected = _expected(segment)
        end = int(np.searchsorted(counts, before + expected))
        if end > start:
            beyond = counts[start:end] - before
            slope = (segment.end_rps - segment.start_rps) / (segment.end_s - segment.start_s)
            root = np.sqrt(np.maximum(segment.start_rps**2 + 2 * slope * beyond, 0.0))
            times_s[start:end] = np.minimum(segment.start_s + 2 * beyond / (segment.start_rps + root), segment.end_s)
        before, start = before + expected, end
    return times_s[:start]
