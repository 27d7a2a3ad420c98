import altair as alt
import vl_convert

from chaoskit.report.charts import ladder_chart


def test_one_row_per_rung_and_a_rule_at_the_declared_surge() -> None:
    spec = ladder_chart(6)
    assert spec["height"] > ladder_chart(2)["height"]
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["bar", "rule", "point", "text"]
    assert next(iter(spec["datasets"].values())) == [{"share": 1}]
    assert vl_convert.vegalite_to_vega(spec | {"width": 600, "$schema": alt.SCHEMA_URL})["marks"]
