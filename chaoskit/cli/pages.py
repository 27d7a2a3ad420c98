"""Writes what people and CI read of a run into its folder."""

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import render_html, render_junit, render_summary
from chaoskit.store import RunFolder


def write_pages(folder: RunFolder, result: Result, plan: Plan, history: History) -> None:
    """Write report.html, junit.xml and summary.md; each is whole or absent."""
    folder.write("junit.xml", render_junit(result).encode())
    folder.write("summary.md", render_summary(result).encode())
    folder.write("report.html", render_html(result, plan, history).encode())
