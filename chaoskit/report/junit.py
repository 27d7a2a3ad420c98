"""A run as JUnit XML: what CI pages read. One suite per scenario, one case per promise.

Cases stand in four classes: `objectives`, `expectation`, `invariants`, `validity`. A broken objective, expectation or
invariant is a `failure`; what could not be proven, and a condition of validity that does not hold, is an `error`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from xml.etree import ElementTree as ET

from chaoskit.analysis.result import ObjectiveResult, Result, Verdict
from chaoskit.report import wording

Outcome: TypeAlias = Literal["failure", "error"]

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold (W3C, Extensible Markup Language 1.0, production 2)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One promise and what became of it; `outcome` None means kept."""

    group: str
    name: str
    outcome: Outcome | None = None
    message: str = ""
    text: str = ""


def render_junit(result: Result) -> str:
    """Return the run as a JUnit XML document, declaration included; it is red exactly when the verdict is no pass."""
    cases = list(cases_of(result))
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.outcome == "failure" for case in cases)),
        "errors": str(sum(case.outcome == "error" for case in cases)),
        "skipped": "0",
        "time": f"{_duration_s(result):.3f}",
    }
    suites = ET.Element("testsuites", {"name": "chaoskit", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": _clean(_suite(result)), **counts})
    if started_at := result.provenance.get("started_at"):
        suite.set("timestamp", _clean(str(started_at)))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(result):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for case in cases:
        _append(suite, _suite(result), case)
    ET.SubElement(suite, "system-out").text = _clean("\n".join((result.headline, *result.reasons)))
    ET.indent(suites)
    body = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(result: Result) -> str:
    """Return the name of the scenario, with the variant of it that was played."""
    variant = result.provenance.get("variant")
    return f"{result.scenario}[{variant}]" if variant else result.scenario


def cases_of(result: Result) -> Iterator[Case]:
    """Yield every promise of the run: the verdict's own case last, so that a red run has at least one red case."""
    for objective in result.objectives:
        yield _objective(objective)
    if result.expected_bottleneck is not None:
        yield _expectation(result)
    for check in result.invariants:
        yield Case("invariants", check.name, None if check.ok else "failure", check.statement)
    for check in result.validity:
        yield Case("validity", check.name, None if check.ok else "error", check.statement)
    if result.verdict is Verdict.PASS:
        yield Case("verdict", "verdict")
    else:
        outcome: Outcome = "failure" if result.verdict is Verdict.FAIL else "error"
        yield Case("verdict", "verdict", outcome, f"{result.verdict.value}: {result.headline}", _diagnosis(result))


def _objective(objective: ObjectiveResult) -> Case:
    measured = wording.quantity(objective.measured, objective.unit)
    bound = wording.quantity(objective.bound, objective.unit)
    text = f"measured {measured}, bound {bound}"
    if objective.met is None:
        return Case("objectives", objective.text, "error", f"not proven: {objective.reason}", text)
    if not objective.met:
        return Case("objectives", objective.text, "failure", f"{text}. {objective.reason}".strip(), text)
    return Case("objectives", objective.text)


def _expectation(result: Result) -> Case:
    name = f"the bottleneck is {result.expected_bottleneck}"
    found = result.bottlenecks[0].resource if result.bottlenecks else "none"
    if result.expectation_met is None:
        return Case("expectation", name, "error", "not proven: the run could not tell")
    if not result.expectation_met:
        return Case("expectation", name, "failure", f"the bottleneck found is {found}")
    return Case("expectation", name)


def _diagnosis(result: Result) -> str:
    lines: list[str] = []
    for bottleneck in result.bottlenecks[:1]:
        lines += [bottleneck.title, *(f"- {step.role}: {wording.step(step)}" for step in bottleneck.cause_chain)]
        lines += [f"- {evidence.statement}" for evidence in bottleneck.evidence]
        lines += [bottleneck.prediction]
    return "\n".join(line for line in lines if line)


def _properties(result: Result) -> Iterator[tuple[str, str]]:
    yield "verdict", result.verdict.value
    yield "title", result.title
    if result.bottlenecks:
        yield "bottleneck", result.bottlenecks[0].resource
        point = result.bottlenecks[0].saturates_at
        if point:
            yield "saturates_at_surge_share", wording.number(point.share)


def _duration_s(result: Result) -> float:
    """Return how long load was offered: of the stream that was offered longest, all phases together."""
    streams = (
        sum(phase.offered / phase.offered_rps for phase in phases.values() if phase.offered_rps > 0)
        for phases in result.streams.values()
    )
    return max(streams, default=0.0)


def _append(suite: ET.Element, scenario: str, case: Case) -> None:
    attributes = {"classname": f"{_clean(scenario)}.{case.group}", "name": _clean(case.name), "time": "0.000"}
    element = ET.SubElement(suite, "testcase", attributes)
    if case.outcome is not None:
        kind = {"message": _clean(case.message), "type": case.group}
        ET.SubElement(element, case.outcome, kind).text = _clean(case.text) or None


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
