import json
from dataclasses import replace

import pytest

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import gallery
from chaoskit.report.gallery import Gallery
from chaoskit.report.tables import Table


@pytest.fixture(scope="module")
def drawn(result: Result, plan: Plan, history: History) -> Gallery:
    return gallery.draw(result, plan, history, stream="positions")


def test_every_chart_of_a_whole_run(drawn: Gallery) -> None:
    assert list(drawn.charts) == [
        "schedule", "load", "latency", "errors", "utilization", "queues", "figure-0", "cpu", "lateness",
        "ladder", "percentiles", "failures",
    ]  # fmt: skip


def test_the_data_holds_what_the_charts_read_and_no_more(drawn: Gallery) -> None:
    reads = {name for chart in drawn.charts.values() for name in chart.reads}
    assert set(drawn.data["tables"]) == reads
    for columns in drawn.data["tables"].values():
        assert len({len(values) for values in columns.values()}) == 1


def test_charts_hold_no_data_of_their_own(drawn: Gallery) -> None:
    assert max(len(json.dumps(chart.spec)) for chart in drawn.charts.values()) < 12_000


def test_no_chart_names_an_address(drawn: Gallery) -> None:
    assert "http" not in json.dumps(drawn.data)


def test_stretches_are_the_phases(drawn: Gallery) -> None:
    assert [(s.name, s.from_s, s.to_s) for s in drawn.stretches] == [
        ("whole run", 0, 90), ("baseline", 0, 20), ("surge", 20, 70), ("recovery", 70, 90),
    ]  # fmt: skip


def test_resources_stand_in_the_order_of_the_ladder(drawn: Gallery) -> None:
    order = list(dict.fromkeys(drawn.data["tables"]["utilization"]["resource"]))
    assert order[:3] == ["gateway@eu-west-1.db_pool", "gateway@us-east-1.db_pool", "engine.matching"]


def test_an_empty_history_has_only_what_was_planned(result: Result, plan: Plan) -> None:
    bare = replace(result, ladder=(), streams={})
    assert list(gallery.draw(bare, plan, History(), stream="").charts) == ["schedule"]


def test_only_the_strongest_lines_are_drawn() -> None:
    columns: Table = {
        "source": [*(f"s{place}" for place in range(20)), "idle"],
        "t": [0] * 21,
        "cores": [*range(1, 21), 0],
    }
    kept = gallery.strongest(columns, "source", "cores")
    assert kept["source"] == [f"s{place}" for place in range(19, 11, -1)]


def test_peaks_are_said_in_words(drawn: Gallery) -> None:
    assert drawn.charts["load"].peaks == "At most: positions 2,000, trading 1,000, quotes 200."
    assert drawn.charts["cpu"].peaks.startswith("At most: host 1.4, ")
    assert gallery.peaks({"a": ["x"], "t": [0], "v": [0]}, "a", "v") == ""
