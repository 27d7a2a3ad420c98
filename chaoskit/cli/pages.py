"""Writes what people and CI read of a run into its folder."""

from typing import Final

from chaoskit.analysis.result import Result
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.store import RunFolder

REPORT: Final = "report.html"


def write_pages(folder: RunFolder, result: Result, plan: Plan, history: History) -> None:
    """Write report.html, junit.xml and summary.md; each is whole or absent."""
    # The chart library alone takes a good part of a second to import; commands that write no page need not wait for it.
    from chaoskit.report import render_html, render_junit, render_summary

    folder.write("junit.xml", render_junit(result).encode())
    folder.write("summary.md", render_summary(result).encode())
    folder.write(REPORT, render_html(result, plan, history).encode())
