"""What people and machines read of a run: a page, a JUnit file and a Markdown summary (layer 6, pure)."""

from chaoskit.report.comparison import render_comparison, render_comparison_summary
from chaoskit.report.junit import render_junit
from chaoskit.report.page import render_html
from chaoskit.report.summary import render_summary

__all__ = ["render_comparison", "render_comparison_summary", "render_html", "render_junit", "render_summary"]
