from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chaoskit.analysis.result import Check, Result, Verdict
from chaoskit.report import render_junit


def parsed(result: Result) -> ET.Element:
    return ET.fromstring(render_junit(result))


def red(root: ET.Element, kind: str) -> list[str]:
    return [case.attrib["name"] for case in root.iter("testcase") if case.find(kind) is not None]


def test_golden(result: Result, golden: Callable[[str, str], None]) -> None:
    golden("report/junit.xml", render_junit(result))


def test_structure_follows_the_common_schema(result: Result) -> None:
    root = parsed(result)
    assert root.tag == "testsuites"
    (suite,) = root
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 9, "system-out"]
    assert {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"} <= set(suite.attrib)
    for case in suite.iter("testcase"):
        assert set(case.attrib) == {"classname", "name", "time"}
        assert {child.tag for child in case} <= {"failure", "error", "skipped"}
        assert len(case) <= 1
        for outcome in case:
            assert set(outcome.attrib) == {"message", "type"}


def test_counts_are_those_of_the_cases(result: Result) -> None:
    (suite,) = parsed(result)
    assert int(suite.attrib["tests"]) == len(list(suite.iter("testcase")))
    assert int(suite.attrib["failures"]) == len(list(suite.iter("failure"))) == 2
    assert int(suite.attrib["errors"]) == len(list(suite.iter("error"))) == 1


def test_each_promise_has_its_outcome(result: Result) -> None:
    root = parsed(replace(result, invariants=(Check("no order is lost", False, "3 orders were lost"),)))
    assert red(root, "failure") == ["trading errors < 1% in surge", "no order is lost", "verdict"]
    assert red(root, "error") == ["recovery < 10s"]


@pytest.mark.parametrize(
    ("changes", "kind", "name"),
    [
        ({"expectation_met": False}, "failure", "the bottleneck is exchange/gateway.db_pool"),
        ({"expectation_met": None}, "error", "the bottleneck is exchange/gateway.db_pool"),
        ({"validity": (Check("receipts", False, "F1 had no effect"),)}, "error", "receipts"),
        ({"verdict": Verdict.INCONCLUSIVE}, "error", "verdict"),
        ({"verdict": Verdict.ABORTED}, "error", "verdict"),
        ({"verdict": Verdict.FAIL}, "failure", "verdict"),
    ],
)
def test_what_turns_a_run_red(result: Result, changes: dict[str, Any], kind: str, name: str) -> None:
    assert name in red(parsed(replace(result, **changes)), kind)


def test_a_pass_is_green(result: Result) -> None:
    kept = replace(result, verdict=Verdict.PASS, objectives=tuple(replace(o, met=True) for o in result.objectives))
    root = parsed(kept)
    assert red(root, "failure") == red(root, "error") == []


def test_any_text_gives_well_formed_xml(result: Result) -> None:
    hostile = replace(result, scenario="]]></testsuite>\x00\x1b[31m\ud800", title='"&<>', headline="\x07 bell")
    (suite,) = parsed(hostile)
    assert suite.attrib["name"].startswith("]]></testsuite>")
