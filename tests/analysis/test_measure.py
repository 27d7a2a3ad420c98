import math

import pytest

from chaoskit.analysis.measure import measured_quantile_s
from chaoskit.records import Histogram


def of_ms(*times_ms: int) -> Histogram:
    return Histogram.of_us([1000 * time for time in times_ms])


@pytest.mark.parametrize(
    ("successes", "failed", "quantile", "expected_s"),
    [
        pytest.param(of_ms(*[10] * 1000), 0, 0.99, 0.01, id="nothing failed"),
        pytest.param(of_ms(*[10] * 1000), 10, 0.99, 0.01, id="as many failed as lie beyond"),
        pytest.param(of_ms(*[10] * 1000), 11, 0.99, math.inf, id="one more, and the percentile is among them"),
        pytest.param(of_ms(*[10] * 2000), 50_000, 0.5, math.inf, id="hardly anything served"),
        pytest.param(of_ms(1, 2, 3, 4), 4, 0.5, 0.004, id="failures come after the slowest success"),
        pytest.param(of_ms(), 3, 0.5, math.inf, id="nothing served"),
    ],
)
def test_failed_arrivals_are_infinitely_late(
    successes: Histogram, failed: int, quantile: float, expected_s: float
) -> None:
    assert measured_quantile_s(successes, failed, quantile) == pytest.approx(expected_s, rel=0.01)


def test_where_nothing_arrived_nothing_is_measured() -> None:
    assert measured_quantile_s(Histogram(), 0, 0.5) is None


@pytest.mark.parametrize("count", [3, 7, 49, 1003, 9999])
def test_the_rank_is_that_of_the_histogram(count: int) -> None:
    histogram = Histogram.of_us(range(count))
    for quantile in (0.5, 0.9, 0.95, 0.99, 0.999):
        assert measured_quantile_s(histogram, 0, quantile) == (histogram.quantile_us(quantile) or 0) / 1e6
