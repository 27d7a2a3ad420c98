import json

import altair as alt
import pytest
import vl_convert

from chaoskit.report.charts import Lines, Timeline
from chaoskit.report.charts.drawing import Spec

TIMELINE = Timeline(90.0, 1, "positions")
SPECS = {
    "schedule": TIMELINE.schedule(2),
    "load": TIMELINE.load(),
    "latency": TIMELINE.latency(),
    "errors": TIMELINE.errors(),
    "utilization": TIMELINE.utilization(5),
    "lines": TIMELINE.lines(Lines("cpu", "cores", "source", "CPU.", level=4)),
    "one line": TIMELINE.lines(Lines("lateness", "lag", None, "Lateness.", wide_range=True)),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_chart_has_the_parameters_that_the_page_sets(spec: Spec) -> None:
    values = {parameter["name"]: parameter["value"] for parameter in spec["params"]}
    assert values == {"from_s": 0, "to_s": 90.0, "stream": "positions"}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_chart_compiles_to_vega_without_complaint(spec: Spec) -> None:
    compiled = vl_convert.vegalite_to_vega(spec | {"width": 600, "$schema": alt.SCHEMA_URL})
    assert compiled["marks"]
    assert {axis["orient"] for axis in compiled["axes"]} == {"bottom", "left"}


def test_a_hostile_stream_name_stays_a_value() -> None:
    name = "'; alert(1); '"
    spec = Timeline(10.0, 1, name).load()
    assert json.dumps(spec).count("alert(1)") == 1


def test_a_hostile_metric_name_is_compared_and_not_run() -> None:
    spec = TIMELINE.lines(Lines("figures", "value", "instance", "m", only=("figure", "x' || true")))
    assert {"filter": {"field": "figure", "equal": "x' || true"}} in [
        transform for layer in spec["layer"] for transform in layer.get("transform", [])
    ]
