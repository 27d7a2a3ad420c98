"""How long ten million arrivals take to be laid out."""

import time

import pytest

from chaoskit.plan.arrivals import schedule
from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.model import ArrivalKind, PlannedStream, Segment


@pytest.mark.benchmark
@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_ten_million_arrivals(arrivals: ArrivalKind) -> None:
    segments = (Segment(0, 10, 1, 1e5), Segment(10, 100, 1e5, 1e5), Segment(100, 110, 1e5, 0))
    stream = PlannedStream("stream", PlannedFlow("python"), arrivals, 1, 1.0, 1.0, segments, (), "round_robin", 1.0)
    start_s = time.perf_counter()
    whole = schedule(stream)
    print(f"\n{len(whole):,} {arrivals} arrivals in {time.perf_counter() - start_s:.2f} s")  # noqa: T201
    assert 9_900_000 < len(whole) < 10_100_000
