"""A history as the small tables that the charts draw; each stands in the page once, however many charts read it."""

from chaoskit.report.tables.columns import Table, Value, cell_s, end_s, rounded, table
from chaoskit.report.tables.load import errors, latency, lateness, load, quantile_curves
from chaoskit.report.tables.messages import messages
from chaoskit.report.tables.resources import cpu, figures, utilization
from chaoskit.report.tables.schedule import bands, events

__all__ = [
    "Table",
    "Value",
    "bands",
    "cell_s",
    "cpu",
    "end_s",
    "errors",
    "events",
    "figures",
    "latency",
    "lateness",
    "load",
    "messages",
    "quantile_curves",
    "rounded",
    "table",
    "utilization",
]  # fmt: skip
