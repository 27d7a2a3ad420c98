"""The operands of findings, out of what an instance serves."""

from collections import defaultdict

from chaoskit.observe.exposition import Sample, parse
from chaoskit.observe.operands import Operands
from chaoskit.plan.finding import PlannedFinding
from chaoskit.records import MetricSample


def operands(*values: str) -> Operands:
    return Operands([PlannedFinding(f"f{place}", "A finding", value) for place, value in enumerate(values)], "store")


def families(text: str) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in parse(text):
        found[sample.name].append(sample)
    return found


def read(one: Operands, text: str, t_s: float) -> dict[str, tuple[float, float]]:
    return {sample.reading: (sample.t_s, sample.value) for sample in one.read(families(text), t_s)}


def test_series_are_put_together_as_the_function_wants() -> None:
    one = operands(
        "increase(sold_total)", 'increase(sold_total{why="forced"})', "max(depth)", "min(depth) / last(depth)"
    )
    text = 'sold_total{why="forced"} 3\nsold_total{why="free"} 4\ndepth{s="a"} 5\ndepth{s="b"} 2\n'
    assert read(one, text, 1.0) == {
        "sum sold_total": (1.0, 7.0),
        'sum sold_total{why="forced"}': (1.0, 3.0),
        "max depth": (1.0, 5.0),
        "min depth": (1.0, 2.0),
        "sum depth": (1.0, 7.0),
    }


def test_only_changes_are_written_down() -> None:
    one = operands("increase(sold_total)")
    assert read(one, "sold_total 3\n", 1.0) == {"sum sold_total": (1.0, 3.0)}
    assert read(one, "sold_total 3\n", 1.5) == {}
    assert read(one, "sold_total 1\n", 2.0) == {"sum sold_total": (2.0, 1.0)}


def test_a_series_that_shows_later_counts_from_zero() -> None:
    one = operands("increase(sold_total)", "min(depth)")
    assert read(one, "up 1\n", 1.0) == {}
    samples = list(one.read(families("sold_total 3\ndepth 9\n"), 1.5))
    assert samples == [
        MetricSample(1.0, "store", "sum sold_total", 0.0),
        MetricSample(1.5, "store", "sum sold_total", 3.0),
        MetricSample(1.5, "store", "min depth", 9.0),
    ]


def test_buckets_of_a_histogram() -> None:
    one = operands('p99(age_seconds{region="us"})')
    text = (
        'age_seconds_bucket{region="us",le="0.1"} 4\nage_seconds_bucket{region="us",le="+Inf"} 5\n'
        'age_seconds_bucket{region="eu",le="0.1"} 9\nage_seconds_count 14\n'
    )
    selector = 'age_seconds{region="us"}'
    assert read(one, text, 1.0) == {f"bucket 0.1 {selector}": (1.0, 4.0), f"bucket +Inf {selector}": (1.0, 5.0)}
