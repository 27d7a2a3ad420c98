"""Distributions: latency by quantile on an axis of nines, and errors by reason and phase."""

import altair as alt

from chaoskit.report.charts import drawing
from chaoskit.report.charts.drawing import Spec


def percentile_plot(stream: str, phases: list[str]) -> Spec:
    """Return latency (log) over quantile (nines), one line per phase and clock, of the chosen stream."""
    nines = "datum.value === 0 ? '0%' : datum.value === 1 ? '90%' : datum.value === 2 ? '99%' : datum.value === 3 ? "
    nines += "'99.9%' : datum.value === 4 ? '99.99%' : datum.value === 5 ? '99.999%' : ''"
    lines = (
        alt.Chart(alt.NamedData("quantiles"))
        .transform_filter("datum.stream === stream")
        .mark_line(strokeWidth=2, interpolate="monotone")
        .encode(
            x=alt.X(
                "nines:Q",
                scale=alt.Scale(nice=False),
                axis=alt.Axis(title="share of answers at most this slow", values=[0, 1, 2, 3, 4, 5], labelExpr=nines),
            ),
            y=alt.Y("ms:Q", scale=alt.Scale(type="log", nice=True), axis=drawing.millisecond_axis()),
            color=alt.Color(
                "phase:N", sort=None, scale=alt.Scale(domain=phases, range=drawing.SERIES), legend=drawing.legend()
            ),
            strokeDash=drawing.clock_dash(),
            tooltip=["phase:N", "clock:N", alt.Tooltip("ms:Q", title="milliseconds")],
        )
        .add_params(alt.param(name="stream", value=stream))
    )
    return drawing.finished(lines, 260, "Latency by quantile.")


def error_bars(rows: int) -> Spec:
    """Return failures by stream and phase, one bar each, stacked by reason: the share of arrivals that failed."""
    axis = alt.Axis(title="share of arrivals that failed", format=".0%", tickCount=5)
    bars = (
        alt.Chart(alt.NamedData("failures"))
        .mark_bar(height=12)
        .encode(
            x=alt.X("share:Q", stack="zero", axis=axis),
            y=alt.Y("row:N", sort=None, axis=alt.Axis(title=None, labelLimit=140, labelColor=drawing.INK)),
            color=alt.Color("reason:N", scale=alt.Scale(range=drawing.SERIES), legend=drawing.legend()),
            tooltip=["row:N", "reason:N", "count:Q", alt.Tooltip("share:Q", format=".2%")],
        )
    )
    return drawing.finished(bars, 26 * rows + 10, "Errors by reason and phase.")
