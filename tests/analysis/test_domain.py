"""Findings of the target's own trade, from what was written down."""

from dataclasses import replace

import pytest

from chaoskit.analysis.domain import domain_findings
from chaoskit.analysis.objectives import objective_results
from chaoskit.analysis.result import DomainFinding
from chaoskit.plan.finding import PlannedFinding
from chaoskit.plan.model import Objective, Plan, PlannedPhase
from chaoskit.records import History, MetricSample
from tests.support.small_plan import small_plan

BASELINE = PlannedPhase("baseline", 0, 10, 0, {})
SURGE = PlannedPhase("surge", 10, 20, 0, {})


def plan(value: str, component: str | None = None) -> Plan:
    finding = PlannedFinding("loss", "What was lost", value, component, "x", "Why it matters.")
    return replace(small_plan(), phases=(BASELINE, SURGE), findings=(finding,))


def history(*traces: tuple[str, str, dict[float, float]]) -> History:
    samples: list[MetricSample] = [
        MetricSample(t_s, instance, reading, value)
        for instance, reading, values in traces
        for t_s, value in values.items()
    ]
    samples.sort(key=lambda sample: sample.t_s)
    return History.of(samples)


def found(value: str, *traces: tuple[str, str, dict[float, float]], component: str | None = None) -> DomainFinding:
    (finding,) = domain_findings(plan(value, component), history(*traces))
    return finding


FORCED = ("front", "sum forced_total", {-1.0: 100.0, 5.0: 110.0, 15.0: 150.0, 22.0: 160.0})
INITIAL = ("front", "sum initial_total", {-1.0: 0.0, 4.0: 10.0, 12.0: 20.0})


def test_a_ratio_of_increases_over_the_run_and_by_phase() -> None:
    finding = found("increase(forced_total) / increase(initial_total)", FORCED, INITIAL)
    assert finding.value == pytest.approx(60 / 20)
    assert finding.by_phase == {"baseline": pytest.approx(1.0), "surge": pytest.approx(4.0)}
    assert (finding.title, finding.unit, finding.reason, finding.help) == ("What was lost", "x", "", "Why it matters.")


def test_a_counter_that_was_started_anew_goes_on() -> None:
    restarted = ("front", "sum forced_total", {0.0: 90.0, 12.0: 100.0, 14.0: 5.0, 16.0: 25.0})
    assert found("increase(forced_total)", restarted).value == pytest.approx(10 + 5 + 20)


def test_instances_count_together() -> None:
    west = ("store@west", "sum forced_total", {0.0: 0.0, 15.0: 7.0})
    east = ("store@east", "sum forced_total", {0.0: 0.0, 15.0: 5.0})
    assert found("increase(forced_total)", west, east, FORCED).value == 72
    assert found("increase(forced_total)", west, east, FORCED, component="store").value == 12


@pytest.mark.parametrize(
    ("value", "whole", "surge"),
    [("first(fund)", 1000, 900), ("last(fund)", 950, 400), ("max(fund)", 1000, 900), ("min(fund)", 400, 400)],
)
def test_gauges(value: str, whole: float, surge: float) -> None:
    falling = {0.0: 1000.0, 8.0: 900.0, 13.0: 400.0, 21.0: 950.0}
    aggregate = value[:3] if value[:3] in {"max", "min"} else "sum"
    finding = found(value, ("front", f"{aggregate} fund", falling))
    assert finding.value == whole
    assert finding.by_phase["surge"] == surge


def test_a_quantile_out_of_buckets() -> None:
    buckets = {"0.1": {0.0: 0.0, 15.0: 50.0}, "0.5": {0.0: 0.0, 15.0: 90.0}, "+Inf": {0.0: 0.0, 15.0: 100.0}}
    traces = [("front", f"bucket {bound} age", values) for bound, values in buckets.items()]
    assert found("p50(age)", *traces).value == pytest.approx(0.1)
    assert found("p90(age)", *traces).value == pytest.approx(0.5)
    assert found("p99(age)", *traces).value == pytest.approx(0.5)  # beyond the last bound: that is all that is known
    finding = found("p50(age)", *traces)
    assert finding.by_phase["baseline"] is None


def test_what_was_not_seen_or_cannot_be_divided_is_not_measured() -> None:
    assert found("increase(gone_total)", FORCED).reason == "no metrics of the target had gone_total"
    assert found("p99(age)", FORCED).reason == "no metrics of the target had age"
    idle = ("front", "sum initial_total", {0.0: 3.0})
    finding = found("increase(forced_total) / increase(initial_total)", FORCED, idle)
    assert finding.value is None
    assert finding.reason == "increase(initial_total) was 0, and nothing can be divided by it"


@pytest.mark.parametrize(
    ("bound", "phase", "met", "measured"),
    [(5.0, None, True, 3.0), (2.0, None, False, 3.0), (2.0, "baseline", True, 1.0), (2.0, "surge", False, 4.0)],
)
def test_objectives(bound: float, phase: str | None, met: bool, measured: float) -> None:
    asked = Objective("as asked", None, "finding", None, "<", bound, phase, "loss")
    day = replace(plan("increase(forced_total) / increase(initial_total)"), objectives=(asked,))
    records = history(FORCED, INITIAL)
    (result,) = objective_results(day, records, (), domain_findings(day, records))
    assert (result.met, result.unit) == (met, "x")
    assert result.measured == pytest.approx(measured)


def test_an_objective_on_what_was_not_measured_is_not_proven() -> None:
    asked = Objective("as asked", None, "finding", None, "<", 1.0, None, "loss")
    day = replace(plan("increase(gone_total)"), objectives=(asked,))
    (result,) = objective_results(day, history(), (), domain_findings(day, history()))
    assert (result.met, result.reason) == (None, "no metrics of the target had gone_total")
