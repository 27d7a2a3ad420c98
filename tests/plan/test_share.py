"""Shares are exact: however often they are split, each arrival belongs to one of them."""

import random
from collections import Counter

import numpy as np
import pytest

from chaoskit.plan.arrivals import Schedule
from chaoskit.plan.share import Share


def whole_of(count: int, seed: int = 3) -> Schedule:
    times_us = np.sort(np.random.Generator(np.random.PCG64(seed)).integers(0, 10_000_000, count))
    return Schedule(times_us, np.zeros(count, dtype=np.uint32))


def played(share: Share, whole: Schedule, until_us: int = 10_000_000) -> list[int]:
    """The indexes that a process plays before `until_us`, as the dispatcher walks them."""
    indexes = range(share.first(whole), len(whole), share.step)
    return [index for index in indexes if whole.times_us[index] < until_us]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_shares_of_all_workers_are_the_whole(workers: int) -> None:
    whole = whole_of(1000)
    indexes = [index for worker in range(workers) for index in played(Share(worker, workers), whole)]
    assert sorted(indexes) == list(range(1000))


@pytest.mark.parametrize("seed", range(20))
def test_however_workers_are_lost_every_arrival_is_played_once(seed: int) -> None:
    draw = random.Random(seed)
    whole = whole_of(draw.randrange(2000), seed)
    workers = draw.randrange(2, 6)
    shares = {worker: [Share(worker, workers)] for worker in range(workers)}
    indexes: Counter[int] = Counter()
    for from_us in sorted(draw.randrange(10_000_000) for _ in range(workers - 1)):
        lost = draw.choice(list(shares))
        ended = shares.pop(lost)
        indexes.update(index for share in ended for index in played(share, whole, from_us))
        for share in ended:
            for taker, part in zip(shares, share.split(len(shares), from_us), strict=True):
                shares[taker].append(part)
    indexes.update(index for each in shares.values() for share in each for index in played(share, whole))
    assert indexes == Counter(range(len(whole)))


def test_per_second_counts_what_is_due_before_an_instant() -> None:
    whole = Schedule(np.arange(0, 4_000_000, 100_000), np.zeros(40, dtype=np.uint32))
    assert Share(0, 1).per_second(whole, 10_000_000) == {0: 10, 1: 10, 2: 10, 3: 10}
    assert Share(1, 2, 1_000_000).per_second(whole, 2_500_000) == {1: 5, 2: 2}
    assert Share(1, 2, 1_000_000).per_second(whole, 0) == {}
    assert Share(0, 1).per_second(Schedule(np.empty(0, np.int64), np.empty(0, np.uint32)), 1) == {}
