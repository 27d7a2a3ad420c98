"""The charts of the page as Vega-Lite specifications; the data stands in the page once, under the names of `tables`."""

from chaoskit.report.charts.distribution import error_bars, percentile_plot
from chaoskit.report.charts.headroom import ladder_chart
from chaoskit.report.charts.timeline import Lines, Timeline

__all__ = ["Lines", "Timeline", "error_bars", "ladder_chart", "percentile_plot"]
