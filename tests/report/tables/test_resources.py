from dataclasses import replace

from chaoskit.records import FigureSample, History, ResourceSample, UsageSample
from chaoskit.report import tables
from tests.support.sample_run import rows_of


def resource(t_s: float, busy_s: float, **fields: float) -> ResourceSample:
    return ResourceSample(t_s, "t/c.pool", fields.get("servers", 2.0), busy_s, queue_length=fields.get("queue", 0.0))


def test_utilization_is_busy_time_over_servers() -> None:
    samples = [resource(t / 2 + 0.25, min(t / 2, 4.0) * 1.0) for t in range(17)]
    found = rows_of(tables.utilization(History.of(samples), 1, ["t/c.pool"]))
    assert [row["utilization"] for row in found[1:4]] == [0.5, 0.5, 0.5]
    assert [row["utilization"] for row in found[5:7]] == [0.0, 0.0]


def test_a_restarted_counter_is_no_negative_growth() -> None:
    samples = [resource(0.0, 10.0), resource(1.0, 11.0), resource(2.0, 0.0), resource(3.0, 1.0)]
    found = rows_of(tables.utilization(History.of(samples), 1, []))
    assert [row["utilization"] for row in found] == [0.5, 0.0, 0.5]


def test_where_nobody_looked_there_is_no_number() -> None:
    samples = [resource(0.0, 0.0), resource(1.0, 1.0), resource(9.0, 9.0), resource(10.0, 10.0)]
    found = rows_of(tables.utilization(History.of(samples), 1, []))
    assert [row["utilization"] for row in found] == [0.5, *[None] * 8, 0.5]


def test_a_queue_is_as_full_as_it_is_long() -> None:
    samples = [replace(resource(t, 0.0, servers=0.0, queue=64.0), queue_limit=256.0) for t in (0.0, 1.0, 2.0)]
    assert rows_of(tables.utilization(History.of(samples), 1, []))[0]["utilization"] == 0.25


def test_one_scrape_alone_is_no_cell() -> None:
    assert rows_of(tables.utilization(History.of([resource(3.0, 1.0)]), 1, [])) == []


def test_cpu_counts_cores() -> None:
    history = History.of([UsageSample(float(t), "gateway", 1.5 * t, 1, 1) for t in range(4)])
    assert [row["cores"] for row in rows_of(tables.cpu(history, 1))] == [1.5, 1.5, 1.5]


def test_figures_are_the_last_reading_and_gaps_stay_open() -> None:
    readings = [(0.2, 1.0), (0.8, 2.0), (1.5, 3.0), (9.0, 4.0)]
    history = History.of([FigureSample(t_s, "gateway", "age", value) for t_s, value in readings])
    found = [(row["t"], row["value"]) for row in rows_of(tables.figures(history, 1))]
    assert found == [(0, 2.0), (1, 3.0), (2, None), (9, 4.0)]
