"""Histograms are exact below 512 µs, within 1/256 above, and merge without loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.records import Histogram, SampleBatch, carried, decode, encode

values = st.lists(st.integers(min_value=0, max_value=3_600_000_000), min_size=1, max_size=300)


def exact(recorded: list[int], quantile: float) -> int:
    ordered = sorted(recorded)
    return ordered[max(1, int(np.ceil(quantile * len(ordered)))) - 1]


@given(values, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_one_bucket_of_the_exact_one(recorded: list[int], quantile: float) -> None:
    found = Histogram.of_us(recorded).quantile_us(quantile)
    wanted = exact(recorded, quantile)
    assert found is not None
    assert wanted <= found <= wanted + wanted / 256


@given(values, values)
def test_merging_equals_recording_together(left: list[int], right: list[int]) -> None:
    assert Histogram.merged([Histogram.of_us(left), Histogram.of_us(right)]) == Histogram.of_us(left + right)


@pytest.mark.parametrize("value", [0, 1, 511, 512, 513, 1023, 1024, 65_535, 65_536])
def test_bucket_edges(value: int) -> None:
    histogram = Histogram.of_us([value])
    assert histogram.quantile_us(0.5) == value
    assert (histogram.count, histogram.max_us, histogram.mean_us) == (1, value, value)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert Histogram().quantile_us(0.5) is None
    assert Histogram.of_us([]) == Histogram()


def test_negative_values_count_as_zero() -> None:
    assert Histogram.of_us([-5]).max_us == 0


def test_share_above() -> None:
    assert Histogram.of_us([10, 20, 30, 40]).share_above(20) == 0.5


@pytest.mark.parametrize(
    ("count", "quantile", "enough"), [(300, 0.99, True), (299, 0.99, False), (6, 0.5, True), (2999, 0.999, False)]
)
def test_the_rule_of_three(count: int, quantile: float, enough: bool) -> None:
    assert carried(count, quantile) is enough


def test_what_is_not_carried_is_not_told() -> None:
    few, enough = Histogram.of_us([1000] * 299), Histogram.of_us([1000] * 300)
    assert (few.carried_us(0.99), enough.carried_us(0.99), Histogram().carried_us(0.5)) == (None, 1000, None)


SAMPLES = 400_000
TOLD = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)


RANDOM = np.random.default_rng(20251010)
USUAL_S = RANDOM.lognormal(np.log(0.004), 0.4, SAMPLES)
SHAPES_S = {
    "steady": USUAL_S,
    "heavy tail": 0.001 * (1 + RANDOM.pareto(1.2, SAMPLES)),
    "frozen for 3 s of 60": USUAL_S + np.where(RANDOM.random(SAMPLES) < 0.05, RANDOM.uniform(0, 3, SAMPLES), 0.0),
    "hit or miss": np.where(RANDOM.random(SAMPLES) < 0.97, 0.0003, 0.080) * RANDOM.lognormal(0, 0.1, SAMPLES),
}
"""Response times in seconds, as services have them."""


@pytest.mark.parametrize("shape", SHAPES_S)
def test_percentiles_are_within_a_hundredth_of_the_exact_ones_over_workers_and_disk(shape: str) -> None:
    times_us = np.asarray(SHAPES_S[shape] * 1e6, dtype=np.int64)
    by_second = np.array_split(times_us, 8 * 60)  # of eight processes, sixty seconds each
    batches = [
        SampleBatch("s", "e", index // 8, index % 8, part.count, {}, part.count, part, part, part)
        for index, part in enumerate(map(Histogram.of_us, by_second))
    ]
    read = [decode(encode(batch)) for batch in batches]
    merged = Histogram.merged(batch.response_us for batch in read if isinstance(batch, SampleBatch))
    assert merged == Histogram.of_us(times_us)
    ordered = np.sort(times_us)
    for quantile in TOLD:
        exact_us = int(ordered[int(np.ceil(quantile * SAMPLES)) - 1])
        assert merged.carried_us(quantile) == pytest.approx(exact_us, rel=0.01), f"{shape}, {quantile}"
