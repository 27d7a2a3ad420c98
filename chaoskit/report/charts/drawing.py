"""What all charts share: colours (CSS variables, so that dark mode and print need no second drawing), axes, export."""

from typing import Any, Final, TypeAlias

import altair as alt

Spec: TypeAlias = dict[str, Any]
Layer: TypeAlias = alt.Chart | alt.LayerChart
Drawable: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

SERIES: Final = [f"var(--series-{place})" for place in range(1, 9)]
HEAT: Final = [f"var(--heat-{place})" for place in range(7)]
HEAT_EDGES: Final = [0.1, 0.3, 0.5, 0.7, 0.85, 0.97]
OK: Final = "var(--chart-ok)"
FAILED: Final = "var(--chart-failed)"
OFFERED: Final = "var(--chart-offered)"
FAULT: Final = "var(--chart-fault)"
INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
"""The page's own fonts: Vega measures labels with them, so they must be named here as in the style sheet."""

NARROW_PX: Final = 480
"""Below this width of a plot its texts are the short ones."""

AXIS_PX: Final = 54
"""Width kept for the labels of every left axis, so that plots below one another share their time axis."""

NUMBERS: Final = "format(datum.value, abs(datum.value) >= 1000 ? '~s' : '~r')"
MILLISECONDS: Final = (
    "datum.value >= 1000 ? format(datum.value / 1000, '~r') + 's' : "
    "datum.value >= 1 ? format(datum.value, '~r') + 'ms' : format(datum.value * 1000, '~r') + 'µs'"
)


def left_axis() -> alt.Axis:
    """Return a left axis for numbers: `0.5`, `200`, `1.5k`."""
    return alt.Axis(title=None, minExtent=AXIS_PX, maxExtent=AXIS_PX, tickCount=4, labelExpr=NUMBERS)


def bare_axis() -> alt.Axis:
    """Return a left axis that takes its room and shows nothing."""
    return alt.Axis(title=None, minExtent=AXIS_PX, maxExtent=AXIS_PX, labels=False, grid=False)


def millisecond_axis() -> alt.Axis:
    """Return a left axis for latencies on a logarithmic scale: `1ms`, `3ms`, `10ms`."""
    steps = [step * 10.0**power for power in range(-3, 7) for step in (1, 3)]
    return alt.Axis(
        title=None, minExtent=AXIS_PX, maxExtent=AXIS_PX, values=steps, labelExpr=MILLISECONDS, labelOverlap="greedy"
    )


def row_scale() -> alt.Scale:
    """Return the scale of rows that have their label above them, inside the plot."""
    return alt.Scale(paddingInner=0.5, paddingOuter=0.6)


def unless_narrow(wide: str, narrow: str) -> str:
    """Return the Vega expression that is `wide` in a plot with room for a line of text, else `narrow`."""
    return f"width < {NARROW_PX} ? {narrow} : {wide}"


def legend() -> alt.Legend:
    """Return a legend that lies above the plot; how many columns it has, the script of the page sets by the width."""
    return alt.Legend(orient="top", title=None, labelLimit=220, columnPadding=14, offset=6)


def dash_legend() -> alt.Legend:
    """Return a legend of dashes, drawn in ink."""
    return alt.Legend(orient="top", title=None, columnPadding=14, offset=6, symbolStrokeColor=INK)


def clock_dash() -> alt.StrokeDash:
    """Return the dashes of the two clocks: response solid, service dotted."""
    scale = alt.Scale(domain=["response", "service"], range=[[1, 0], [3, 3]])
    return alt.StrokeDash("clock:N", scale=scale, legend=dash_legend())


def finished(chart: Drawable, height: int, description: str) -> Spec:
    """Return the specification of a chart that is as wide as its place in the page."""
    sized = chart.properties(width="container", height=height, description=description)
    configured = (
        sized.configure(background="transparent", font=FONT, padding={"left": 0, "right": 12, "top": 4, "bottom": 4})
        .configure_view(stroke=None)
        .configure_axis(
            domain=False,
            ticks=False,
            gridColor="var(--line)",
            labelColor=MUTED,
            titleColor=MUTED,
            labelPadding=6,
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor=INK, titleColor=MUTED, labelFontSize=11.5, symbolStrokeWidth=2.5)
        .configure_text(color=INK, fontSize=11)
    )
    spec: Spec = configured.to_dict()
    spec.pop("$schema", None)
    return spec
