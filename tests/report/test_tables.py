from dataclasses import replace

import numpy as np
import pytest

from chaoskit.plan.model import Plan
from chaoskit.records import Histogram, History, ResourceSample, SampleBatch, UsageSample
from chaoskit.report import tables
from chaoskit.report.tables import Table


def rows(columns: Table) -> list[dict[str, object]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def batch(second: int, ok_us: list[int], failed: dict[str, int], entry: str = "a") -> SampleBatch:
    histogram = Histogram.of_us(ok_us)
    return SampleBatch("s", entry, second, 0, len(ok_us), failed, len(ok_us), histogram, histogram, histogram)


def resource(t_s: float, busy_s: float, **fields: float) -> ResourceSample:
    return ResourceSample(t_s, "t/c.pool", fields.get("servers", 2.0), busy_s, queue_length=fields.get("queue", 0.0))


@pytest.mark.parametrize(
    ("value", "short"), [(1234.567, 1230), (0.0012345, 0.00123), (None, None), (float("nan"), None), (2.0, 2)]
)
def test_rounding(value: float | None, short: float | None) -> None:
    assert tables.rounded(value) == short


def test_load_adds_up_entries_and_workers() -> None:
    history = History.of([batch(3, [10, 20], {"timeout": 1}), batch(3, [30], {"refused": 2}, entry="b")])
    assert rows(tables.load(history, 1)) == [
        {"stream": "s", "t": 3, "offered": 6.0, "ok": 3.0, "failed": 3.0, "answered": 0.0}
    ]


def test_load_in_cells_stays_per_second() -> None:
    history = History.of([batch(second, [10] * 8, {}) for second in range(4)])
    assert [row["offered"] for row in rows(tables.load(history, 2))] == [8.0, 8.0]


def test_latency_merges_what_falls_into_a_cell() -> None:
    history = History.of([batch(0, [1000] * 99, {}), batch(0, [100_000], {}, entry="b")])
    (response, service) = rows(tables.latency(history, 1))
    assert (response["clock"], service["clock"]) == ("response", "service")
    assert response["p50"] == pytest.approx(1.0, rel=0.01)
    assert response["p999"] == pytest.approx(100.0, rel=0.01)


def test_a_second_without_success_has_no_latency() -> None:
    history = History.of([batch(0, [], {"timeout": 5})])
    assert {row["p50"] for row in rows(tables.latency(history, 1))} == {None}


def test_utilization_is_busy_time_over_servers() -> None:
    samples = [resource(t / 2 + 0.25, min(t / 2, 4.0) * 1.0) for t in range(17)]
    found = rows(tables.utilization(History.of(samples), 1, ["t/c.pool"]))
    assert [row["utilization"] for row in found[1:4]] == [0.5, 0.5, 0.5]
    assert [row["utilization"] for row in found[5:7]] == [0.0, 0.0]


def test_a_restarted_counter_is_no_negative_growth() -> None:
    samples = [resource(0.0, 10.0), resource(1.0, 11.0), resource(2.0, 0.0), resource(3.0, 1.0)]
    found = rows(tables.utilization(History.of(samples), 1, []))
    assert [row["utilization"] for row in found] == [0.5, 0.0, 0.5]


def test_where_nobody_looked_there_is_no_number() -> None:
    samples = [resource(0.0, 0.0), resource(1.0, 1.0), resource(9.0, 9.0), resource(10.0, 10.0)]
    found = rows(tables.utilization(History.of(samples), 1, []))
    assert [row["utilization"] for row in found] == [0.5, *[None] * 8, 0.5]


def test_a_queue_is_as_full_as_it_is_long() -> None:
    samples = [replace(resource(t, 0.0, servers=0.0, queue=64.0), queue_limit=256.0) for t in (0.0, 1.0, 2.0)]
    assert rows(tables.utilization(History.of(samples), 1, []))[0]["utilization"] == 0.25


def test_one_scrape_alone_is_no_cell() -> None:
    assert rows(tables.utilization(History.of([resource(3.0, 1.0)]), 1, [])) == []


def test_cpu_counts_cores() -> None:
    history = History.of([UsageSample(float(t), "gateway", 1.5 * t, 1, 1) for t in range(4)])
    assert [row["cores"] for row in rows(tables.cpu(history, 1))] == [1.5, 1.5, 1.5]


def test_bands_are_what_really_happened(plan: Plan, history: History) -> None:
    real = rows(tables.bands(plan, history))
    assert [row["mark"] for row in real] == ["baseline", "surge", "recovery", "F1", "F2"]
    assert (real[3]["start"], real[3]["end"]) == (35.02, 45)
    planned = rows(tables.bands(plan, History()))
    assert (planned[3]["start"], planned[3]["end"]) == (35, 45)


def test_quantile_curves_end_where_samples_do(plan: Plan) -> None:
    values = np.arange(1, 1001, dtype=np.int64) * 1000
    histogram = Histogram.of_us(values)
    one = SampleBatch("s", "a", 5, 0, 1000, {}, 1000, histogram, histogram, histogram)
    curve = [row for row in rows(tables.quantile_curves(plan, History.of([one]))) if row["clock"] == "response"]
    assert curve[0]["nines"] == 0
    assert curve[-1]["nines"] == 3
    assert next(row["ms"] for row in curve if row["nines"] == 1) == pytest.approx(900, rel=0.01)


def test_long_runs_are_drawn_in_coarser_cells(plan: Plan) -> None:
    assert tables.cell_s(plan, History()) == 1
    assert tables.cell_s(replace(plan, duration_s=1500.0), History()) == 5


def test_rare_reasons_are_put_together() -> None:
    many = {f"status {code}": code for code in range(500, 520)}
    found = rows(tables.errors(History.of([batch(0, [], many)]), 1))
    assert len(found) == tables.MAX_REASONS + 1
    assert sum(float(str(row["failed"])) for row in found) == sum(many.values())
