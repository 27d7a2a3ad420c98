"""Histograms are exact below 512 µs, within 1/256 above, and merge without loss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.records import Histogram

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
