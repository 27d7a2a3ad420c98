import altair as alt
import pytest
import vl_convert

from chaoskit.report.charts import error_bars, percentile_plot
from chaoskit.report.charts.drawing import Spec


@pytest.mark.parametrize(
    "spec", [percentile_plot("trading", ["baseline", "surge"]), error_bars(3)], ids=["percentiles", "errors"]
)
def test_compiles(spec: Spec) -> None:
    assert vl_convert.vegalite_to_vega(spec | {"width": 600, "$schema": alt.SCHEMA_URL})["marks"]


def test_the_percentile_plot_follows_the_chosen_stream() -> None:
    assert percentile_plot("trading", ["baseline"])["params"] == [{"name": "stream", "value": "trading"}]
