"""The charts of the timeline: one time axis for all, phases ruled, faults shaded, a stream and a stretch to choose.

The page's script sets three parameters of every chart: `from_s` and `to_s`, the stretch shown, and `stream`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from chaoskit.report.charts import drawing
from chaoskit.report.charts.drawing import Layer, Spec

_STREAM = "datum.stream === stream"
_PHASE_PX = 20
_FAULT_PX = 22


@dataclass(frozen=True, slots=True)
class Timeline:
    """The charts over one time axis of `end_s` seconds, in cells of `cell_s`; `stream` is shown at first."""

    end_s: float
    cell_s: int
    stream: str

    def schedule(self, faults: int) -> Spec:
        """Return phases as named stretches and, below, one bar for each of the `faults`."""
        bands = alt.Chart(alt.NamedData("bands"))
        phases = bands.transform_filter("datum.kind === 'phase'")
        bars = bands.transform_filter("datum.kind === 'fault'").transform_calculate(
            top=f"{_PHASE_PX + 4} + datum.row * {_FAULT_PX}", bottom=f"{_PHASE_PX} + (datum.row + 1) * {_FAULT_PX}"
        )
        tips = ["mark:N", "title:N", alt.Tooltip("start:Q", title="from (s)"), alt.Tooltip("end:Q", title="to (s)")]
        words = bars.transform_calculate(middle="(datum.top + datum.bottom) / 2", words="datum.mark + '  ' + datum.title")
        early = words.transform_filter(f"datum.start < {self.end_s / 2}")
        late = words.transform_filter(f"datum.start >= {self.end_s / 2}")
        text = {"y": alt.Y("middle:Q", scale=None), "text": alt.Text("words:N")}
        layers: list[Layer] = [
            phases.mark_rect(clip=True, color="var(--phase)", stroke="var(--surface)", strokeWidth=2, y=0, y2=_PHASE_PX)
            .encode(x=self._time("start"), x2="end:Q", tooltip=tips),
            phases.mark_text(clip=True, align="left", dx=7, y=_PHASE_PX / 2, fontWeight=600)
            .encode(x=self._time("start"), text="title:N"),
            bars.mark_rect(clip=True, color=drawing.FAULT, opacity=0.4, cornerRadius=3)
            .encode(
                x=self._time("start"),
                x2="end:Q",
                y=alt.Y("top:Q", scale=None, axis=drawing.left_axis(labels=False, grid=False)),
                y2="bottom:Q",
                tooltip=tips,
            ),
            early.mark_text(clip=True, align="left", dx=6).encode(x=self._time("start"), **text),
            late.mark_text(clip=True, align="right", dx=-6).encode(x=self._time("end"), **text),
        ]
        return self._finished(layers, _PHASE_PX + 4 + _FAULT_PX * faults, "Phases and faults along the run.", shaded=False)

    def load(self) -> Spec:
        """Return what became of the arrivals of each second, and when answers came."""
        base = alt.Chart(alt.NamedData("load")).transform_filter(_STREAM)
        fate = (
            base.transform_fold(["ok", "failed"], as_=["fate", "per_second"])
            .transform_calculate(order="datum.fate === 'ok' ? 0 : 1")
            .mark_area(clip=True, interpolate="step-after", opacity=0.85, line=False)
            .encode(
                x=self._time("t"),
                y=alt.Y("per_second:Q", stack="zero", axis=drawing.left_axis(format="~s")),
                color=alt.Color(
                    "fate:N",
                    scale=alt.Scale(domain=["ok", "failed"], range=[drawing.OK, drawing.FAILED]),
                    legend=drawing.legend(),
                ),
                order="order:Q",
            )
        )
        lines = (
            base.transform_fold(["offered", "answered"], as_=["line", "per_second"])
            .mark_line(clip=True, interpolate="step-after", strokeWidth=1.5)
            .encode(
                x=self._time("t"),
                y="per_second:Q",
                strokeDash=alt.StrokeDash(
                    "line:N",
                    scale=alt.Scale(domain=["offered", "answered"], range=[[1, 0], [3, 3]]),
                    legend=drawing.legend(symbolStrokeColor=drawing.INK),
                ),
                color=alt.value(drawing.OFFERED),
            )
        )
        return self._finished([fate, lines, self._hover("load", ["offered", "ok", "failed", "answered"])], 190, "Load.")

    def latency(self) -> Spec:
        """Return p50, p99 and p99.9 on both clocks, logarithmic."""
        lines = (
            alt.Chart(alt.NamedData("latency"))
            .transform_filter(_STREAM)
            .transform_calculate(middle=f"datum.t + {self.cell_s / 2}")
            .transform_fold(["p50", "p99", "p999"], as_=["quantile", "ms"])
            .transform_filter("isValid(datum.ms)")
            .mark_line(clip=True, strokeWidth=1.8, interpolate="monotone")
            .encode(
                x=self._time("middle"),
                y=alt.Y("ms:Q", scale=alt.Scale(type="log", nice=True), axis=drawing.log_milliseconds()),
                color=alt.Color(
                    "quantile:N",
                    scale=alt.Scale(domain=["p50", "p99", "p999"], range=[f"var(--quantile-{i})" for i in (1, 2, 3)]),
                    legend=drawing.legend(labelExpr="datum.label === 'p999' ? 'p99.9' : datum.label"),
                ),
                strokeDash=alt.StrokeDash(
                    "clock:N",
                    scale=alt.Scale(domain=["response", "service"], range=[[1, 0], [3, 3]]),
                    legend=drawing.legend(symbolStrokeColor=drawing.INK),
                ),
            )
        )
        return self._finished([lines, self._hover("latency", ["clock", "p50", "p99", "p999"])], 210, "Latency.")

    def errors(self) -> Spec:
        """Return failures per second, stacked by reason."""
        bars = (
            alt.Chart(alt.NamedData("errors"))
            .transform_filter(_STREAM)
            .transform_calculate(until=f"datum.t + {self.cell_s}")
            .transform_stack(
                stack="failed", groupby=["t"], sort=[alt.SortField("reason", "ascending")], as_=["low", "high"]
            )
            .mark_rect(clip=True)
            .encode(
                x=self._time("t"),
                x2="until:Q",
                y=alt.Y("low:Q", axis=drawing.left_axis(format="~s"), scale=alt.Scale(nice=True, zero=True)),
                y2="high:Q",
                color=alt.Color("reason:N", scale=alt.Scale(range=drawing.SERIES), legend=drawing.legend(columns=4)),
                tooltip=["t:Q", "reason:N", alt.Tooltip("failed:Q", title="per second")],
            )
        )
        return self._finished([bars], 150, "Errors by reason.")

    def utilization(self, resources: int) -> Spec:
        """Return the heat map: a row per resource, a cell per second, its label in the plot above the row."""
        base = alt.Chart(alt.NamedData("utilization"))
        row = alt.Y("resource:N", sort=None, axis=drawing.left_axis(labels=False, grid=False), scale=alt.Scale(paddingInner=0.5, paddingOuter=0.6))
        cells = (
            base.transform_filter("isValid(datum.utilization)")
            .transform_calculate(until=f"datum.t + {self.cell_s}")
            .mark_rect(clip=True)
            .encode(
                x=self._time("t"),
                x2="until:Q",
                y=row,
                color=alt.Color(
                    "utilization:Q",
                    scale=alt.Scale(type="threshold", domain=drawing.HEAT_EDGES, range=drawing.HEAT),
                    legend=drawing.legend(format=".0%", symbolType="square", columns=8, symbolStrokeWidth=0),
                ),
                tooltip=[
                    "resource:N",
                    "t:Q",
                    alt.Tooltip("utilization:Q", format=".1%"),
                    alt.Tooltip("blocked:Q", format=".0%", title="of it waiting on others"),
                    alt.Tooltip("queue:Q", title="queue length"),
                    alt.Tooltip("rejected:Q", title="rejected per second"),
                ],
            )
        )
        labels = (
            base.transform_aggregate(groupby=["resource"], peak="max(utilization)")
            .transform_calculate(label="datum.resource + ' · ' + format(datum.peak, '.0%') + ' at most'")
            .mark_text(align="left", baseline="bottom", x=2 - drawing.AXIS_PX, dy=-10, limit=900, fontSize=11)
            .encode(y=row, text="label:N")
        )
        return self._finished([cells, labels], 34 * resources + 12, "Utilisation of each resource.")

    def lines(self, data: str, value: str, series: str | None, **settings: Any) -> Spec:
        """Return one line per `series` of the table `data`, or a single line.

        `settings`: `equals` keeps the rows in which a column has a value, `rule` draws a level, `scale` names another
        than the linear one, `description` says what is drawn.
        """
        base = alt.Chart(alt.NamedData(data)).transform_calculate(middle=f"datum.t + {self.cell_s / 2}")
        if "equals" in settings:
            column, wanted = settings["equals"]
            base = base.transform_filter(alt.FieldEqualPredicate(field=column, equal=wanted))
        lines: list[Layer] = []
        if settings.get("rule") is not None:
            level = alt.Chart(alt.InlineData([{"level": settings["rule"]}]))
            lines.append(level.mark_rule(color=drawing.FAILED, strokeDash=[4, 3]).encode(y="level:Q"))
        drawn = base.mark_line(clip=True, strokeWidth=1.8, color=drawing.SERIES[0]).encode(
            x=self._time("middle"),
            y=alt.Y(
                f"{value}:Q",
                axis=drawing.left_axis(format="~s"),
                scale=alt.Scale(type=settings.get("scale", "linear"), nice=True),
            ),
            tooltip=["t:Q", f"{value}:Q"],
        )
        if series is not None:
            colour = alt.Color(
                f"{series}:N", sort=None, scale=alt.Scale(range=drawing.SERIES), legend=drawing.legend(columns=3)
            )
            drawn = drawn.encode(color=colour, tooltip=[f"{series}:N", "t:Q", f"{value}:Q"])
        lines.append(drawn)
        return self._finished(lines, 150, settings.get("description", ""))

    def _time(self, field: str) -> alt.X:
        scale = alt.Scale(domainMin={"expr": "from_s"}, domainMax={"expr": "to_s"}, nice=False, zero=False)
        shown = alt.Axis(title=None, grid=False, labelExpr="datum.label + 's'", labelFlush=True, tickCount=8)
        return alt.X(f"{field}:Q", scale=scale, title=None, axis=shown)

    def _hover(self, data: str, fields: Sequence[str]) -> alt.Chart:
        middle = alt.Chart(alt.NamedData(data)).transform_filter(_STREAM)
        return (
            middle.transform_calculate(until=f"datum.t + {self.cell_s}")
            .mark_rect(clip=True, opacity=0, y=0, y2={"expr": "height"})
            .encode(x=self._time("t"), x2="until:Q", tooltip=[alt.Tooltip("t:Q", title="second"), *(f"{f}:Q" for f in fields)])
        )

    def _shading(self) -> list[Layer]:
        bands = alt.Chart(alt.NamedData("bands"))
        faults = bands.transform_filter("datum.kind === 'fault'").mark_rect(
            clip=True, color=drawing.FAULT, opacity=0.14, y=0, y2={"expr": "height"}
        )
        phases = bands.transform_filter("datum.kind === 'phase' && datum.start > 0").mark_rule(
            clip=True, color=drawing.MUTED, opacity=0.7, y=0, y2={"expr": "height"}
        )
        return [faults.encode(x=self._time("start"), x2="end:Q"), phases.encode(x=self._time("start"))]

    def _fault_marks(self) -> list[Layer]:
        faults = alt.Chart(alt.NamedData("bands")).transform_filter("datum.kind === 'fault'")
        strip = faults.mark_rect(clip=True, color=drawing.FAULT, y=0, y2=3)
        names = faults.mark_text(clip=True, align="left", dx=4, y=12, fontSize=10, fontWeight=700)
        return [
            strip.encode(x=self._time("start"), x2="end:Q", tooltip=["mark:N", "title:N", "start:Q", "end:Q"]),
            names.encode(x=self._time("start"), text="mark:N"),
        ]

    def _finished(self, layers: Sequence[Layer], height: int, description: str, shaded: bool = True) -> Spec:
        drawn = [*self._shading(), *layers, *self._fault_marks()] if shaded else layers
        chart = alt.layer(*drawn).add_params(
            alt.param(name="from_s", value=0),
            alt.param(name="to_s", value=self.end_s),
            alt.param(name="stream", value=self.stream),
        )
        return drawing.finished(chart, height, description)
