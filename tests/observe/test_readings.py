from dataclasses import replace

import pytest

from chaoskit.observe.exposition import parse
from chaoskit.observe.readings import Readings
from chaoskit.plan.model import PlannedFigure
from chaoskit.records import FigureSample, ResourceSample
from tests.support.component import METRICS
from tests.support.small_plan import small_plan


def figures_of(text: str, readings: Readings) -> list[tuple[str, float]]:
    records = readings.read(parse(text), 1.0)
    return [(record.figure, record.value) for record in records if isinstance(record, FigureSample)]


def test_resource_families_become_one_record_with_the_id_of_the_plan() -> None:
    readings = Readings(small_plan(), "store@east")
    resources = [one for one in readings.read(parse(METRICS), 2.5) if isinstance(one, ResourceSample)]
    assert resources == [
        ResourceSample(
            t_s=2.5,
            resource="toy/store@east.pool",
            servers=4,
            busy_s=1.5,
            blocked_s={"front->store": 0.5},
            arrivals=12,
            completions=10,
            rejections={"full": 2},
            wait_s=0.25,
            queue_length=3,
            queue_limit=8,
        )
    ]
    assert readings.strangers == {"stranger"}


def test_a_resource_without_a_limit_has_none() -> None:
    (record,) = Readings(small_plan(), "front").read(parse('resource_servers{resource="pool"} 1\n'), 0.0)
    assert isinstance(record, ResourceSample)
    assert record.queue_limit is None


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [
        ("depth", 'depth{s="a"} 5\ndepth{s="b"} 7\n', 7.0),
        ("trades_total", 'trades_total{s="a"} 5\ntrades_total{s="b"} 7\n', 12.0),
        ("age", "age_sum 4\nage_count 8\n", 0.5),
    ],
)
def test_a_figure_is_one_value(metric: str, text: str, value: float) -> None:
    plan = replace(small_plan(), figures=(PlannedFigure(metric, "store", "1", "A figure"),))
    assert figures_of(text, Readings(plan, "store@west")) == [(metric, value)]
    assert figures_of(text, Readings(plan, "front")) == []


def test_a_histogram_is_read_as_the_mean_since_the_scrape_before() -> None:
    plan = replace(small_plan(), figures=(PlannedFigure("age", "store", "s", "Age"),))
    readings = Readings(plan, "store@east")
    assert figures_of("age_sum 4\nage_count 8\n", readings) == [("age", 0.5)]
    assert figures_of("age_sum 4\nage_count 8\n", readings) == []
    assert figures_of("age_sum 10\nage_count 10\n", readings) == [("age", 3.0)]
    assert figures_of("age_sum 2\nage_count 1\n", readings) == [("age", 2.0)]  # it was started anew
