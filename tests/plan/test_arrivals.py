from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoskit.plan.arrivals import Schedule, per_second, schedule, share
from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.model import ArrivalKind, Excitation, PlannedStream, Segment


def stream(
    *segments: tuple[float, float, float, float],
    arrivals: ArrivalKind = "constant",
    seed: int = 1,
    users: int | None = None,
) -> PlannedStream:
    """Return a stream whose rate runs through `segments` of (start_s, end_s, start_rps, end_rps)."""
    return PlannedStream(
        name="stream",
        flow=PlannedFlow("python"),
        arrivals=arrivals,
        seed=seed,
        baseline_rps=1.0,
        surge_multiple=1.0,
        segments=tuple(Segment(*segment) for segment in segments),
        expected_per_second=(),
        routing="round_robin",
        timeout_s=1.0,
        users=users,
    )


def test_a_constant_rate_is_even() -> None:
    times_us = schedule(stream((0, 2, 10, 10))).times_us
    assert times_us.tolist() == list(range(50_000, 2_000_000, 100_000))


@pytest.mark.parametrize("rate", [0.3, 1, 7, 10, 33.3, 999, 1000, 12_345.6])
@pytest.mark.parametrize("multiple", [0, 1, 100])
def test_every_second_of_a_step_holds_the_planned_number(rate: float, multiple: float) -> None:
    whole = schedule(stream((0, 3, rate, rate), (3, 6, rate * multiple, rate * multiple), (6, 9, rate, rate)))
    counts = per_second(whole, 9)
    planned = [rate] * 3 + [rate * multiple] * 3 + [rate] * 3
    assert all(abs(count - expected) <= 1 for count, expected in zip(counts, planned, strict=True))
    assert sum(counts) == len(whole) == round(sum(planned))


def test_a_ramp_rises_in_a_straight_line() -> None:
    counts = per_second(schedule(stream((0, 4, 0, 400))), 4)
    assert counts == (50, 150, 250, 350)
    assert per_second(schedule(stream((0, 4, 400, 0))), 4) == (350, 250, 150, 50)


def test_a_ramp_inverts_the_integral_of_its_rate() -> None:
    times_s = schedule(stream((0, 10, 20, 120))).times_us / 1e6
    expected_until = 20 * times_s + 10 * times_s**2 / 2
    np.testing.assert_allclose(expected_until, np.arange(len(times_s)) + 0.5, atol=2e-4)


def test_poisson_arrivals_have_the_planned_mean_and_are_no_metronome() -> None:
    whole = schedule(stream((0, 100, 200, 200), arrivals="poisson", seed=5))
    counts = np.array(per_second(whole, 100))
    assert abs(len(whole) - 20_000) < 5 * np.sqrt(20_000)
    assert 0.5 < counts.var() / counts.mean() < 1.7  # 1 in the limit; 100 seconds spread it by about 0.14
    gaps_s = np.diff(whole.times_us) / 1e6
    assert gaps_s.std() == pytest.approx(gaps_s.mean(), rel=0.05)


def test_poisson_arrivals_follow_a_ramp() -> None:
    counts = per_second(schedule(stream((0, 10, 0, 20_000), arrivals="poisson")), 10)
    planned = np.arange(1000, 20_000, 2000)
    assert np.all(np.abs(np.array(counts) - planned) < 5 * np.sqrt(planned))


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_the_same_seed_gives_the_same_schedule(arrivals: ArrivalKind) -> None:
    one, two, other = (schedule(stream((0, 5, 100, 300), arrivals=arrivals, seed=seed)) for seed in (1, 1, 2))
    assert one.times_us.tobytes() == two.times_us.tobytes()
    assert one.keys.tobytes() == two.keys.tobytes()
    assert one.keys[:100].tobytes() != other.keys[:100].tobytes()


def test_known_draws_stay_what_they_are() -> None:
    whole = schedule(stream((0, 1, 5, 5), arrivals="poisson", seed=42))
    assert whole.times_us.tolist() == [193755, 559414, 650911, 706363]
    assert whole.keys.tolist() == [320815255, 2007857611, 783414414, 199496491]


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_shares_of_workers_are_the_whole(workers: int) -> None:
    whole = schedule(stream((0, 3, 100, 333), arrivals="poisson"))
    parts = [share(whole, worker, workers) for worker in range(workers)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sorted(np.concatenate([part.times_us for part in parts]).tolist()) == whole.times_us.tolist()
    assert sorted(np.concatenate([part.keys for part in parts]).tolist()) == sorted(whole.keys.tolist())


@pytest.mark.parametrize(
    "segments",
    [(), ((0.0, 5.0, 0.0, 0.0),), ((0.0, 1.0, 0.0, 0.0), (1.0, 2.0, 0.0, 0.0))],
    ids=["none", "zero", "zeros"],
)
@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_no_rate_is_no_arrival(segments: tuple[tuple[float, float, float, float], ...], arrivals: ArrivalKind) -> None:
    assert len(schedule(stream(*segments, arrivals=arrivals))) == 0


def test_a_closed_model_has_no_schedule() -> None:
    assert len(schedule(stream((0, 5, 50, 50), users=50))) == 0


RATES = st.floats(0, 3000) | st.sampled_from([0.0, 1e-9, 1e-3, 1.0, 5e4])


@settings(max_examples=80, deadline=None)
@given(
    parts=st.lists(st.tuples(st.floats(0.001, 3), RATES, RATES), min_size=1, max_size=5),
    arrivals=st.sampled_from(["constant", "poisson"]),
)
def test_schedules_are_sorted_and_inside_the_run(
    parts: list[tuple[float, float, float]], arrivals: ArrivalKind
) -> None:
    segments, now = [], 0.0
    for length, start, end in parts:
        segments.append((now, now + length, start, end))
        now += length
    whole = schedule(stream(*segments, arrivals=arrivals))
    assert np.all(np.diff(whole.times_us) >= 0)
    assert len(whole) == 0 or (whole.times_us[0] >= 0 and whole.times_us[-1] < now * 1e6)
    assert len(whole.keys) == len(whole.times_us)
    assert sum(per_second(whole, now)) == len(whole)
    if arrivals == "constant":
        expected = sum((start + end) / 2 * length for length, start, end in parts)
        assert abs(len(whole) - expected) <= 0.5 + 1e-6


def bursts(
    *segments: tuple[float, float, float, float], branching: float = 0.6, decay_s: float = 0.2, seed: int = 3
) -> Schedule:
    """Return a schedule of self-exciting arrivals."""
    excitation = Excitation(branching, decay_s)
    return schedule(replace(stream(*segments, arrivals="hawkes", seed=seed), excitation=excitation))


@pytest.mark.parametrize("branching", [0.0, 0.3, 0.6, 0.9])
def test_bursts_have_the_planned_rate_and_the_spread_of_their_branching(branching: float) -> None:
    seconds, rate = 2000, 50
    counts = np.array(per_second(bursts((0, seconds, rate, rate), branching=branching), seconds))
    # Var N(0, t) / E N(0, t) is 1 / (1 - n)^2 for windows much longer than a burst (Hawkes, 1971).
    index = 1 / (1 - branching) ** 2
    assert counts.sum() == pytest.approx(seconds * rate, abs=5 * np.sqrt(index * seconds * rate))
    windows = counts.reshape(-1, 20).sum(axis=1)
    assert windows.var() / windows.mean() == pytest.approx(index, rel=0.5)


def test_bursts_are_at_the_planned_rate_from_the_first_second_and_after_a_step() -> None:
    runs = [per_second(bursts((0, 5, 200, 200), (5, 10, 2000, 2000), seed=seed), 10) for seed in range(40)]
    mean = np.mean(runs, axis=0)
    spread = 2.5 * np.sqrt([200.0] * 5 + [2000.0] * 5) / np.sqrt(40)
    assert np.all(np.abs(mean - ([200] * 5 + [2000] * 5)) < 5 * spread)


def test_bursts_follow_a_ramp_and_die_down_after_a_fall() -> None:
    rising = np.mean([per_second(bursts((0, 8, 0, 1600), seed=seed), 8) for seed in range(40)], axis=0)
    assert np.all(np.abs(rising - np.arange(100, 1600, 200)) < 5 * 2.5 * np.sqrt(rising / 40))
    fallen = per_second(bursts((0, 4, 1000, 1000), (4, 10, 0.0, 0.0), decay_s=0.5), 10)
    assert fallen[4] > 300 > fallen[6] > fallen[9]


def test_what_is_set_off_comes_after_an_exponential_time() -> None:
    """One arrival and what it sets off: n / (1 - n) others in all, the first generation tau later on average."""
    sizes = [len(bursts((0, 0.001, 1000, 1000), (0.001, 30, 0, 0), branching=0.5, seed=seed)) for seed in range(400)]
    assert np.mean(sizes) == pytest.approx(2.0, rel=0.15)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), branching=st.floats(0, 0.95), workers=st.integers(1, 7))
def test_bursts_are_sorted_within_the_run_and_shared_exactly(seed: int, branching: float, workers: int) -> None:
    whole = bursts((0, 2, 100, 100), (2, 3, 100, 0), branching=branching, seed=seed)
    assert np.all(np.diff(whole.times_us) >= 0)
    assert not len(whole) or 0 <= whole.times_us[0] <= whole.times_us[-1] < 3_000_000
    together = np.sort(np.concatenate([share(whole, worker, workers).times_us for worker in range(workers)]))
    assert together.tobytes() == whole.times_us.tobytes()
    assert (
        bursts((0, 2, 100, 100), (2, 3, 100, 0), branching=branching, seed=seed).keys.tobytes() == whole.keys.tobytes()
    )
