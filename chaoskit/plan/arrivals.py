"""When each arrival of a stream is due: exact, seeded, the whole run at once.

The rate of a stream is piecewise linear, so the expected number of arrivals until t, its integral L(t), is piecewise
quadratic and can be inverted in closed form. Inside a segment that begins at t0 with rate a and slope s, the arrival
with expected count y beyond the segment's start comes at

    t0 + 2 y / (a + sqrt(a^2 + 2 s y))

which is the root of a u + s u^2 / 2 = y, in the form that loses no digits for s near 0. Constant arrivals are due at
L^-1(k + 1/2), k = 0, 1, …; Poisson arrivals at L^-1 of the partial sums of unit exponentials (E. Çinlar, Introduction
to Stochastic Processes, 1975, section 4.7: a non-homogeneous Poisson process is a homogeneous one in the time L).

A recorded tape is a rate that is constant within each of its intervals, with arrivals as constant ones: L is a whole
number at each edge, and k + 1/2 never is, so each interval gets exactly what was recorded.

Self-exciting arrivals (A. G. Hawkes, Biometrika 58, 1971, with an exponential kernel) come in clusters: spontaneous
ones, and of each arrival a Poisson number of others, n on average, each an exponential time of mean tau later (the
cluster form of A. G. Hawkes and D. Oakes, Journal of Applied Probability 11, 1974). Where m(t) is the mean rate, those
set off come at n y(t), with y the mean of m weighed by exp(-age / tau). So that m is the planned rate r in each
instant, spontaneous arrivals come at r(t) - n y(t): Poisson arrivals of rate r, of which each is kept with that share
(thinning: P. A. W. Lewis and G. S. Shedler, Naval Research Logistics 26, 1979). Where r falls faster than bursts die
down there are none to leave out, and m is above r until they have. In a segment with r = a + s u, y' = (r - y) / tau
gives

    y(u) = r(u) - s tau + (y(0) - a + s tau) exp(-u / tau).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from chaoskit.plan.model import Excitation, PlannedStream, Segment

_MICROSECONDS: Final = 1_000_000
Times = npt.NDArray[np.float64]


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
        counts = _constant(total) if stream.arrivals in {"constant", "tape"} else _poisson(total, times_seed)
    times_s = _invert(stream.segments, counts)
    if stream.excitation is not None and len(times_s):
        times_s = _excited(times_s, stream.segments, stream.excitation, times_seed.spawn(1)[0])
    times_us = np.floor(times_s * _MICROSECONDS).astype(np.int64)
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


def _excited(
    candidates_s: Times, segments: Sequence[Segment], excitation: Excitation, seed: np.random.SeedSequence
) -> Times:
    """Return the times of self-exciting arrivals, whose spontaneous ones are taken from Poisson `candidates_s`."""
    generator = np.random.Generator(np.random.PCG64(seed))
    ratio = excitation.branching_ratio
    spontaneous = 1 - ratio * _weighed_mean_over_rate(candidates_s, segments, excitation.decay_s)
    parents = candidates_s[generator.random(len(candidates_s)) < spontaneous]
    generations = [parents]
    while len(parents):
        children = np.repeat(parents, generator.poisson(ratio, len(parents)))
        children += generator.exponential(excitation.decay_s, len(children))
        parents = children[children < segments[-1].end_s]
        generations.append(parents)
    return np.sort(np.concatenate(generations))


def _weighed_mean_over_rate(times_s: Times, segments: Sequence[Segment], decay_s: float) -> Times:
    """Return y / r at each of the sorted times: the planned rate's mean weighed by exp(-age / decay), over the rate."""
    found = np.empty_like(times_s)
    start, mean_rps = 0, 0.0
    for segment in segments:
        length_s = segment.end_s - segment.start_s
        slope = (segment.end_rps - segment.start_rps) / length_s
        offset = mean_rps - segment.start_rps + slope * decay_s
        end = int(np.searchsorted(times_s, segment.end_s, side="right"))
        elapsed_s = times_s[start:end] - segment.start_s
        rate_rps = segment.start_rps + slope * elapsed_s
        found[start:end] = (rate_rps - slope * decay_s + offset * np.exp(-elapsed_s / decay_s)) / rate_rps
        mean_rps = float(segment.end_rps - slope * decay_s + offset * np.exp(-length_s / decay_s))
        start = end
    return found


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
