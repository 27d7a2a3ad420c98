from collections.abc import Callable
from dataclasses import replace

import pytest

from chaoskit.analysis.result import Check, DomainFinding, Result, Verdict
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


def test_retry_amplification_is_told_where_a_phase_took_more_attempts_than_the_best(result: Result) -> None:
    stream, phases = next(iter(result.streams.items()))
    first, second = list(phases)[:2]
    calm, storm = (replace(phases[name], attempts_per_arrival=each) for name, each in ((first, 1.0), (second, 2.9)))
    stormy = render_summary(replace(result, streams={stream: {first: calm, second: storm}}))
    assert f"- retry amplification: {stream} 2.90 attempts per arrival in {second}, 1.00 at best" in stormy
    two_requests = {first: replace(calm, attempts_per_arrival=2.0), second: replace(calm, attempts_per_arrival=2.0)}
    assert "amplification" not in render_summary(replace(result, streams={stream: two_requests}))


def test_what_stands_against_the_run_is_named(result: Result) -> None:
    weak = replace(result, verdict=Verdict.INCONCLUSIVE, validity=(Check("receipts", False, "F1 had no effect."),))
    assert "- receipts: F1 had no effect." in render_summary(weak)


def test_a_run_without_anything(result: Result) -> None:
    bare = replace(result, objectives=(), bottlenecks=(), ladder=(), reasons=(), validity=(), verdict=Verdict.ABORTED)
    text = render_summary(bare, report="folder/report.html")
    assert "|" not in text
    assert text.endswith("[Full report](folder/report.html)\n")


def test_findings_of_the_trade_are_told_where_they_were_measured(result: Result) -> None:
    found = (
        DomainFinding("loss", "What was lost", "x", 23.6, "", {}),
        DomainFinding("gone", "What is gone", "s", None, "no metrics of the target had gone_total", {}),
    )
    summary = render_summary(replace(result, domain_findings=found))
    assert "| What was lost | ×23.6 |" in summary
    assert "What is gone" not in summary
    assert "what it came to" not in render_summary(replace(result, domain_findings=found[1:]))
