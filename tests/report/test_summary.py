from collections.abc import Callable
from dataclasses import replace

import pytest

from chaoskit.analysis.result import Check, Result, Verdict
from chaoskit.report import render_summary


def test_golden(result: Result, golden: Callable[[str, str], None]) -> None:
    golden("report/summary.md", render_summary(result))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_first_line_is_the_verdict(result: Result, verdict: Verdict) -> None:
    first = render_summary(replace(result, verdict=verdict)).splitlines()[0]
    assert first.startswith("## ")
    assert first.endswith(f"{verdict.value}: {result.scenario}")


def test_markup_in_names_stays_text(result: Result) -> None:
    hostile = replace(result, headline="a | b\n# <img src=x> [x](http://evil) `c` *d*", reasons=("<script>",))
    text = render_summary(hostile)
    assert r"**a \| b \# \<img src=x\> \[x\](http://evil) \`c\` \*d\***" in text
    assert "<script>" not in text


def test_what_stands_against_the_run_is_named(result: Result) -> None:
    weak = replace(result, verdict=Verdict.INCONCLUSIVE, validity=(Check("receipts", False, "F1 had no effect."),))
    assert "- receipts: F1 had no effect." in render_summary(weak)


def test_a_run_without_anything(result: Result) -> None:
    bare = replace(result, objectives=(), bottlenecks=(), ladder=(), reasons=(), validity=(), verdict=Verdict.ABORTED)
    text = render_summary(bare, report="folder/report.html")
    assert "|" not in text
    assert text.endswith("[Full report](folder/report.html)\n")
