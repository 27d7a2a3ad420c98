import numpy as np
import pytest

from chaoskit.plan.model import Plan
from chaoskit.records import Histogram, History, SampleBatch
from chaoskit.report import tables
from chaoskit.report.tables.load import MAX_REASONS
from tests.support.sample_run import rows_of


def batch(second: int, ok_us: list[int], failed: dict[str, int], entry: str = "a") -> SampleBatch:
    histogram = Histogram.of_us(ok_us)
    return SampleBatch("s", entry, second, 0, len(ok_us), failed, len(ok_us), histogram, histogram, histogram)


def test_load_adds_up_entries_and_workers() -> None:
    history = History.of([batch(3, [10, 20], {"timeout": 1}), batch(3, [30], {"refused": 2}, entry="b")])
    assert rows_of(tables.load(history, 1)) == [
        {"stream": "s", "t": 3, "offered": 6.0, "ok": 3.0, "failed": 3.0, "answered": 0.0}
    ]


def test_load_in_cells_stays_per_second() -> None:
    history = History.of([batch(second, [10] * 8, {}) for second in range(4)])
    assert [row["offered"] for row in rows_of(tables.load(history, 2))] == [8.0, 8.0]


def test_seconds_without_arrivals_are_zero_and_have_no_latency() -> None:
    history = History.of([batch(2, [10], {}), batch(5, [10], {})])
    assert [row["offered"] for row in rows_of(tables.load(history, 1))] == [1, 0, 0, 1]
    assert [row["service_max"] is None for row in rows_of(tables.latency(history, 1))] == [False, True, True, False]
    assert [row["lag"] is None for row in rows_of(tables.lateness(history, 1))] == [False, True, True, False]


def test_latency_merges_what_falls_into_a_cell() -> None:
    history = History.of([batch(0, [1000] * 99, {}), batch(0, [100_000], {}, entry="b")])
    (row,) = rows_of(tables.latency(history, 1))
    assert row["response_p50"] == pytest.approx(1.0, rel=0.01)
    assert row["response_max"] == row["service_max"] == pytest.approx(100.0, rel=0.01)
    assert row["response_p99"] is None, "a hundred answers carry no p99"


def test_a_second_without_success_has_no_latency() -> None:
    history = History.of([batch(0, [], {"timeout": 5})])
    assert {row["response_max"] for row in rows_of(tables.latency(history, 1))} == {None}


def test_rare_reasons_are_put_together() -> None:
    many = {f"status {code}": code for code in range(500, 520)}
    found = rows_of(tables.errors(History.of([batch(0, [], many)]), 1))
    assert len(found) == MAX_REASONS + 1
    assert sum(float(str(row["failed"])) for row in found) == sum(many.values())


def test_quantile_curves_end_where_samples_do(plan: Plan) -> None:
    values = np.arange(1, 1001, dtype=np.int64) * 1000
    histogram = Histogram.of_us(values)
    one = SampleBatch("s", "a", 5, 0, 1000, {}, 1000, histogram, histogram, histogram)
    curve = [row for row in rows_of(tables.quantile_curves(plan, History.of([one]))) if row["clock"] == "response"]
    assert curve[0]["nines"] == 0
    assert curve[-1]["nines"] == 2.5, "three of a thousand lie beyond p99.7"
    assert next(row["ms"] for row in curve if row["nines"] == 1) == pytest.approx(900, rel=0.01)
