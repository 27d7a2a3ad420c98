"""The charts of the timeline: one time axis for all, phases ruled, faults shaded, a stream and a stretch to choose.

The page's script sets three parameters of every chart: `from_s` and `to_s`, the stretch shown, and `stream`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt

from chaoskit.report.charts import drawing
from chaoskit.report.charts.drawing import Layer, Spec

_STREAM = "datum.stream === stream"
_FATES = {"offered": "offered", "ok": "ok", "failed": "failed", "answered": "answered"}
_LATENCIES = {
    "response_p50": "response p50 (ms)",
    "response_p99": "response p99 (ms)",
    "response_max": "response, slowest (ms)",
    "service_p50": "service p50 (ms)",
    "service_p99": "service p99 (ms)",
    "service_max": "service, slowest (ms)",
}
_PHASE_PX = 20
_FAULT_PX = 22
_NAMES_PX = 16


def _below_names(kind: Literal["linear", "log", "symlog"] = "linear") -> alt.Scale:
    """Return a scale that leaves the top of the plot to the names of the faults."""
    return alt.Scale(type=kind, nice=True, range=[{"expr": "height"}, _NAMES_PX])


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the column `value` of the table `data` over time, one per value of the column `series`.

    `only` (column, value) keeps some rows; `level` is drawn dashed; `wide_range` bends the axis logarithmically.
    """

    data: str
    value: str
    series: str | None
    description: str
    only: tuple[str, str] | None = None
    level: float | None = None
    wide_range: bool = False


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
        room = {"expr": "max(8, scale('x', datum.end) - scale('x', datum.start) - 8)"}
        title = {"expr": "scale('x', datum.end) - scale('x', datum.start) < 30 ? '' : datum.title"}  # no bare ellipsis
        size = {"expr": drawing.unless_narrow("11", "10")}
        tips = ["mark:N", "title:N", alt.Tooltip("start:Q", title="from (s)"), alt.Tooltip("end:Q", title="to (s)")]
        words = {"expr": drawing.unless_narrow("datum.mark + '  ' + datum.title", "datum.mark")}
        named = bars.transform_calculate(middle="(datum.top + datum.bottom) / 2")
        early = named.transform_filter(f"datum.start < {self.end_s / 2}")
        late = named.transform_filter(f"datum.start >= {self.end_s / 2}")
        height = _PHASE_PX + 4 + _FAULT_PX * faults
        pixels = alt.Scale(domain=[height, 0], nice=False, zero=False)
        middle = alt.Y("middle:Q", scale=pixels)
        layers: list[Layer] = [
            phases.mark_rect(
                clip=True, color="var(--phase)", stroke="var(--surface)", strokeWidth=2, y=0, y2=_PHASE_PX
            ).encode(x=self._time("start"), x2="end:Q", tooltip=tips),
            phases.mark_text(
                clip=True, align="left", dx=6, y=_PHASE_PX / 2, fontWeight=600, fontSize=size, limit=room, text=title
            ).encode(x=self._time("start")),
            bars.mark_rect(clip=True, color=drawing.FAULT, opacity=0.4, cornerRadius=3).encode(
                x=self._time("start"),
                x2="end:Q",
                y=alt.Y("top:Q", scale=pixels, axis=drawing.bare_axis()),
                y2="bottom:Q",
                tooltip=tips,
            ),
            early.mark_text(clip=True, align="left", dx=6, text=words).encode(x=self._time("start"), y=middle),
            late.mark_text(clip=True, align="right", dx=-6, text=words).encode(x=self._time("end"), y=middle),
            alt.Chart(alt.NamedData("events"))
            .mark_point(clip=True, shape="triangle-up", filled=True, size=60, color=drawing.INK, y=_PHASE_PX - 4)
            .encode(x=self._time("t"), tooltip=["t:Q", "event:N", "detail:N"]),
        ]
        return self._finished(layers, height, "Phases and faults along the run.")

    def load(self) -> Spec:
        """Return what became of the arrivals of each second, and when answers came."""
        base = alt.Chart(alt.NamedData("load")).transform_filter(_STREAM)
        fate = (
            base.transform_fold(["ok", "failed"], as_=["fate", "per_second"])
            .transform_calculate(order="datum.fate === 'ok' ? 0 : 1")
            .mark_area(clip=True, interpolate="step-after", opacity=0.85, line=False)
            .encode(
                x=self._time("t"),
                y=alt.Y("per_second:Q", stack="zero", axis=drawing.left_axis(), scale=_below_names()),
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
                    legend=drawing.dash_legend(),
                ),
                color=alt.value(drawing.OFFERED),
            )
        )
        return self._finished(self._shaded([fate, lines, self._hover("load", _FATES)]), 190, "Load.")

    def latency(self) -> Spec:
        """Return p50, p99 and the slowest on both clocks, logarithmic; a line ends where too few carry it."""
        lines = (
            alt.Chart(alt.NamedData("latency"))
            .transform_filter(_STREAM)
            .transform_calculate(middle=f"datum.t + {self.cell_s / 2}")
            .transform_fold(list(_LATENCIES), as_=["column", "ms"])
            .transform_calculate(clock="split(datum.column, '_')[0]", last="split(datum.column, '_')[1]")
            .transform_calculate(quantile="datum.last === 'max' ? 'slowest' : datum.last")
            .mark_line(clip=True, strokeWidth=1.8, strokeCap="round", interpolate="monotone")
            .encode(
                x=self._time("middle"),
                y=alt.Y("ms:Q", scale=_below_names("log"), axis=drawing.millisecond_axis()),
                color=alt.Color(
                    "quantile:N",
                    scale=alt.Scale(
                        domain=["p50", "p99", "slowest"], range=[f"var(--quantile-{i})" for i in (1, 2, 3)]
                    ),
                    legend=drawing.legend(),
                ),
                strokeDash=drawing.clock_dash(),
            )
        )
        return self._finished(self._shaded([lines, self._hover("latency", _LATENCIES)]), 210, "Latency.")

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
                y=alt.Y("low:Q", axis=drawing.left_axis(), scale=_below_names()),
                y2="high:Q",
                color=alt.Color("reason:N", scale=alt.Scale(range=drawing.SERIES), legend=drawing.legend()),
                tooltip=["t:Q", "reason:N", alt.Tooltip("failed:Q", title="per second")],
            )
        )
        return self._finished(self._shaded([bars]), 150, "Errors by reason.")

    def utilization(self, resources: int) -> Spec:
        """Return the heat map: a row per resource, a cell per second, its label in the plot above the row."""
        base = alt.Chart(alt.NamedData("utilization"))
        heat = alt.Legend(orient="top", title=None, format=".0%", gradientLength=260, gradientThickness=10, offset=6)
        row = alt.Y("resource:N", sort=None, axis=drawing.bare_axis(), scale=drawing.row_scale())
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
                    legend=heat,
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
            .mark_text(
                align="left", baseline="bottom", x=2 - drawing.AXIS_PX, dy=-10, limit={"expr": "width"}, fontSize=11
            )
            .encode(y=row, text="label:N")
        )
        return self._finished(
            self._shaded([cells, labels], named=False), 34 * resources + 12, "Utilisation of each resource."
        )

    def lines(self, lines: Lines) -> Spec:
        """Return one line per series, or a single line, with a dashed level where there is one to keep below."""
        base = alt.Chart(alt.NamedData(lines.data)).transform_calculate(middle=f"datum.t + {self.cell_s / 2}")
        if lines.only is not None:
            column, wanted = lines.only
            base = base.transform_filter(alt.FieldEqualPredicate(field=column, equal=wanted))
        scale = _below_names("symlog" if lines.wide_range else "linear")
        drawn = base.mark_line(clip=True, strokeWidth=1.8, strokeCap="round", color=drawing.SERIES[0]).encode(
            x=self._time("middle"),
            y=alt.Y(f"{lines.value}:Q", axis=drawing.left_axis(), scale=scale),
            tooltip=["t:Q", f"{lines.value}:Q"],
        )
        if lines.series is not None:
            series = f"{lines.series}:N"
            colour = alt.Color(series, sort=None, scale=alt.Scale(range=drawing.SERIES), legend=drawing.legend())
            drawn = drawn.encode(color=colour, tooltip=[series, "t:Q", f"{lines.value}:Q"])
        layers: list[Layer] = [drawn]
        if lines.level is not None:
            level = alt.Chart(alt.InlineData([{"level": lines.level}]))
            layers.append(level.mark_rule(color=drawing.FAILED, strokeDash=[4, 3]).encode(y="level:Q"))
        return self._finished(self._shaded(layers), 150, lines.description)

    def _time(self, field: str) -> alt.X:
        scale = alt.Scale(domain=[{"expr": "from_s"}, {"expr": "to_s"}], nice=False, zero=False)
        shown = alt.Axis(
            title=None, grid=False, labelExpr="datum.label + 's'", labelFlush=True, labelSeparation=8, tickCount=8
        )
        return alt.X(f"{field}:Q", scale=scale, title=None, axis=shown)

    def _hover(self, data: str, fields: Mapping[str, str]) -> Layer:
        rows = alt.Chart(alt.NamedData(data)).transform_filter(_STREAM)
        cells = rows.transform_calculate(until=f"datum.t + {self.cell_s}").mark_rect(
            clip=True, opacity=0, y=0, y2={"expr": "height"}
        )
        tips = [
            alt.Tooltip("t:Q", title="second"),
            *(alt.Tooltip(f"{field}:Q", title=title) for field, title in fields.items()),
        ]
        chart: alt.Chart = cells.encode(x=self._time("t"), x2="until:Q", tooltip=tips)
        return chart

    def _shading(self) -> list[Layer]:
        bands = alt.Chart(alt.NamedData("bands"))
        faults = bands.transform_filter("datum.kind === 'fault'").mark_rect(
            clip=True, color=drawing.FAULT, opacity=0.14, y=0, y2={"expr": "height"}
        )
        phases = bands.transform_filter("datum.kind === 'phase' && datum.start >= 1").mark_rule(
            clip=True, color=drawing.MUTED, opacity=0.7, y=0, y2={"expr": "height"}
        )
        return [faults.encode(x=self._time("start"), x2="end:Q"), phases.encode(x=self._time("start"))]

    def _fault_marks(self, named: bool) -> list[Layer]:
        faults = alt.Chart(alt.NamedData("bands")).transform_filter("datum.kind === 'fault'")
        strip = faults.mark_rect(clip=True, color=drawing.FAULT, y=0, y2=3)
        names = faults.mark_text(clip=True, align="left", dx=4, y=12, fontSize=10, fontWeight=700)
        drawn = strip.encode(x=self._time("start"), x2="end:Q", tooltip=["mark:N", "title:N", "start:Q", "end:Q"])
        return [drawn, names.encode(x=self._time("start"), text="mark:N")] if named else [drawn]

    def _shaded(self, layers: Sequence[Layer], named: bool = True) -> list[Layer]:
        """Return `layers` between the shading of faults and phases below and the faults' strips and names above."""
        return [*self._shading(), *layers, *self._fault_marks(named)]

    def _finished(self, layers: Sequence[Layer], height: int, description: str) -> Spec:
        chart = alt.layer(*layers).add_params(
            alt.param(name="from_s", value=0),
            alt.param(name="to_s", value=self.end_s),
            alt.param(name="stream", value=self.stream),
        )
        return drawing.finished(chart, height, description)
