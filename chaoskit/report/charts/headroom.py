"""The ladder: at which surge share each resource gives way."""

from typing import Final

import altair as alt

from chaoskit.report.charts import drawing
from chaoskit.report.charts.drawing import Spec

LEAST_SHARE: Final = 0.01
MOST_SHARE: Final = 100.0


def ladder_chart(rungs: int) -> Spec:
    """Return one bar per rung on a logarithmic axis of surge share, with a rule where the declared surge stands.

    Reads the table `ladder`, whose shares are clipped to `LEAST_SHARE` … `MOST_SHARE`.
    """
    base = alt.Chart(alt.NamedData("ladder"))
    row = alt.Y("resource:N", sort=None, axis=None, scale=drawing.row_scale())
    axis = alt.Axis(
        title="surge share: 0 is the baseline, 1 the declared surge",
        format="~g",
        values=[0.01, 0.1, 1, 10, 100],
        grid=True,
    )
    share = alt.X("share:Q", scale=alt.Scale(type="log", domain=[LEAST_SHARE, MOST_SHARE], nice=False), axis=axis)
    colour = alt.Color(
        "state:N",
        scale=alt.Scale(
            domain=["gave way", "gives way within the surge", "full, held up by another", "carries the surge"],
            range=[drawing.FAILED, "var(--chart-near)", "var(--muted)", drawing.OK],
        ),
        legend=drawing.legend(),
    )
    tips = ["label:N", alt.Tooltip("share:Q", title="surge share"), alt.Tooltip("own_share:Q", title="on its own")]
    bars = (
        base.transform_calculate(least=str(LEAST_SHARE))
        .mark_bar(height=8, cornerRadiusEnd=4)
        .encode(x=share, x2="least:Q", y=row, color=colour, tooltip=tips)
    )
    own = (
        base.transform_filter("isValid(datum.own_share)")
        .mark_point(shape="diamond", size=70, strokeWidth=2, color=drawing.INK, fill="var(--surface)")
        .encode(x="own_share:Q", y=row, tooltip=tips)
    )
    declared = alt.Chart(alt.InlineData([{"share": 1}]))
    rule = declared.mark_rule(color=drawing.INK, strokeWidth=1.5, strokeDash=[5, 3]).encode(x="share:Q")
    labels = base.mark_text(
        align="left",
        baseline="bottom",
        x=4,
        dy=-9,
        limit={"expr": "width"},
        fontSize=11.5,
        text={"expr": drawing.unless_narrow("datum.label", "datum.short")},
    ).encode(y=row)
    return drawing.finished(
        alt.layer(bars, rule, own, labels), 36 * rungs + 14, "Surge share at which each resource saturates."
    )
