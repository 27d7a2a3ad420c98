import json
from dataclasses import replace

import pytest

from chaoskit.analysis.comparison import (
    Comparison,
    Played,
    compare,
    compared_again,
    decode_comparison,
    encode_comparison,
)
from chaoskit.analysis.result import DomainFinding, Result, Verdict
from chaoskit.errors import StoreError
from chaoskit.plan.model import Plan
from chaoskit.report import render_comparison, render_comparison_summary
from chaoskit.report.comparison import rows_of


@pytest.fixture
def comparison(plan: Plan, result: Result) -> Comparison:
    objective = replace(result.objectives[0], met=not result.objectives[0].met)
    better = replace(
        result,
        verdict=Verdict.PASS,
        bottlenecks=(),
        objectives=(objective, *result.objectives[1:]),
        streams={
            stream: {
                name: replace(phase, response_s={key: value / 2 for key, value in phase.response_s.items()})
                for name, phase in phases.items()
            }
            for stream, phases in result.streams.items()
        },
    )
    played = [
        Played("base", "<b>The day</b>", "day-1", plan, result),
        Played("bigger", "Pool | of 16", "day-2", plan, better),
    ]
    return compare(played, ["reserve"])


def test_the_gravest_verdict_stands_for_all(comparison: Comparison) -> None:
    assert comparison.verdict is Verdict.FAIL


def test_differences_from_the_first_column_are_marked(comparison: Comparison) -> None:
    rows = {row.label: row.cells for row in rows_of(comparison)}
    assert [cell.changed for cell in rows["first bottleneck"]] == [False, True]
    assert [cell.changed for cell in rows[comparison.runs[0].objectives[0].text]] == [False, True]
    halved = [cells[1] for label, cells in rows.items() if label.endswith(": p50") and cells[0].text != "–"]
    assert halved
    assert {cell.note for cell in halved} == {"−50%"}
    same = [cells for label, cells in rows.items() if label.endswith(": answered")]
    assert not any(cell.changed for cells in same for cell in cells)


def test_an_objective_that_only_one_variant_has_is_not_asked_in_the_other(plan: Plan, result: Result) -> None:
    extra = replace(result, objectives=(replace(result.objectives[0], text="errors < 2%"),))
    found = compare([Played("base", "", "a", plan, result), Played("other", "", "b", plan, extra)])
    rows = {row.label: row.cells for row in rows_of(found)}
    assert rows["errors < 2%"][0].text == "not asked"


def test_the_page_is_offline_escaped_and_links_each_run(comparison: Comparison) -> None:
    page = render_comparison(comparison)
    assert "<script" not in page
    assert "&lt;b&gt;The day" in page
    assert 'href="../day-2/report.html"' in page
    assert "Not played: reserve." in page


def test_the_summary_is_one_table_with_a_column_for_each_variant(comparison: Comparison) -> None:
    lines = render_comparison_summary(comparison).splitlines()
    table = [line.replace(r"\|", "") for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {4}
    assert "| verdict | fail | pass |" in table


def test_the_document_is_versioned_and_whole(comparison: Comparison) -> None:
    document = json.loads(encode_comparison(comparison))
    assert document["version"] == 1
    assert [run["name"] for run in document["runs"]] == ["base", "bigger"]
    assert document["not_played"] == ["reserve"]


def test_a_comparison_comes_back_as_it_was(comparison: Comparison) -> None:
    assert decode_comparison(encode_comparison(comparison)) == comparison


@pytest.mark.parametrize("document", [b"", b"{}", b'{"version": 1}'])
def test_what_is_no_comparison_is_named(document: bytes) -> None:
    with pytest.raises(StoreError, match=r"a comparison's result\.json does not fit version 1"):
        decode_comparison(document)


def test_another_version_is_named(comparison: Comparison) -> None:
    with pytest.raises(StoreError, match="does not fit version 1"):
        decode_comparison(encode_comparison(replace(comparison, version=2)))


def test_runs_that_are_still_there_are_compared_anew(comparison: Comparison, plan: Plan, result: Result) -> None:
    passed = replace(result, verdict=Verdict.PASS)
    again = compared_again(comparison, [Played("base", "<b>The day</b>", "day-1", plan, passed)])
    assert [run.verdict for run in again.runs] == [Verdict.PASS, Verdict.PASS]
    assert again.verdict is Verdict.PASS
    assert again.runs[1] == comparison.runs[1]
    assert again.not_played == ("reserve",)


def test_findings_of_the_trade_stand_side_by_side_but_for_those_that_no_run_measured(
    plan: Plan, result: Result
) -> None:
    def run(name: str, value: float) -> Played:
        found = (
            DomainFinding("loss", "What was lost", "x", value, "", {}),
            DomainFinding("gone", "Gone", "", None, "", {}),
        )
        return Played(name, "", name, plan, replace(result, domain_findings=found))

    rows = {
        row.label: row.cells for row in rows_of(compare([run("base", 20.0), run("same", 19.0), run("better", 0.0)]))
    }
    assert [(cell.text, cell.changed) for cell in rows["What was lost"]] == [
        ("×20", False),
        ("×19", False),
        ("×0", True),
    ]
    assert "Gone" not in rows
