import altair as alt

from chaoskit.report.charts import drawing


def test_colours_come_from_the_style_sheet() -> None:
    assert all(colour.startswith("var(--") for colour in [*drawing.SERIES, *drawing.HEAT, drawing.OK, drawing.FAULT])
    assert len(drawing.HEAT) == len(drawing.HEAT_EDGES) + 1


def test_a_finished_chart_is_as_wide_as_its_place_and_names_no_schema() -> None:
    spec = drawing.finished(alt.Chart(alt.NamedData("x")).mark_point(), 100, "Points.")
    assert (spec["width"], spec["height"], spec["description"]) == ("container", 100, "Points.")
    assert "$schema" not in spec
