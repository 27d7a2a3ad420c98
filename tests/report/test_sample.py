"""The sample report in `reports/sample` is what today's analysis and report make of the records beside it."""

from pathlib import Path

import pytest

from chaoskit import plan as planning
from chaoskit.analysis import analyse
from chaoskit.analysis import encode as encode_result
from chaoskit.report import render_html, render_junit, render_summary
from chaoskit.store import RunFolder

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"


@pytest.fixture(scope="module")
def pages() -> dict[str, bytes]:
    folder = RunFolder.open(SAMPLE)
    plan, history = planning.decode(folder.plan_bytes()), folder.history().history
    result = analyse(plan, history, folder.provenance())
    return {
        "result.json": encode_result(result),
        "junit.xml": render_junit(result).encode(),
        "summary.md": render_summary(result).encode(),
        "report.html": render_html(result, plan, history).encode(),
    }


@pytest.mark.parametrize("name", ["result.json", "junit.xml", "summary.md", "report.html"])
def test_the_sample_is_fresh(pages: dict[str, bytes], name: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        (SAMPLE / name).write_bytes(pages[name])
    assert (SAMPLE / name).read_bytes() == pages[name], "run `pytest tests/report/test_sample.py --update-golden`"


def test_the_sample_names_no_machine() -> None:
    for name in ("plan.json", "provenance.json", "records.jsonl"):
        assert "/home/" not in (SAMPLE / name).read_text()
        assert "/root/" not in (SAMPLE / name).read_text()
