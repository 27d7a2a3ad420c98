from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.result import Bottleneck
from tests.support.simulation import AMPLE, Day, simulate

SHORT = replace(AMPLE, surge_s=12.0, recovery_s=4.0)


def found(day: Day) -> tuple[Bottleneck, ...]:
    return analyse(*simulate(day)).bottlenecks


def statements(finding: Bottleneck) -> str:
    return "\n".join(evidence.statement for evidence in finding.evidence)


@pytest.fixture(scope="module")
def small_pool() -> Bottleneck:
    return found(replace(SHORT, db_pool=3, latency=(14.0, 17.0, 0.02)))[0]


def test_a_finding_carries_its_numbers(small_pool: Bottleneck) -> None:
    assert small_pool.capacity_per_s == pytest.approx(6 / 0.0202, rel=0.1)
    assert small_pool.utilization == pytest.approx(1.0, abs=0.05)
    assert (small_pool.kind, small_pool.setting, small_pool.fault) == ("pool", "gateway.db_pool", "latency-1")
    assert small_pool.title.startswith("exchange/gateway.db_pool runs out at share 0.")
    assert small_pool.title.endswith("made worse by latency 20ms on gateway->positions")


def test_evidence_names_both_numbers_where_a_fault_made_it_worse(small_pool: Bottleneck) -> None:
    text = statements(small_pool)
    assert "could not carry the load of that time" in text
    assert "times as long" in text
    assert "20 ms added requested, 20.0 ms added delivered" in text


def test_evidence_says_what_is_idle_behind_it(small_pool: Bottleneck) -> None:
    assert "utilization of what it waits for: exchange/positions.connections 0." in statements(small_pool)


def test_a_limiter_is_shown_by_what_it_refused() -> None:
    assert "refused or dropped" in statements(found(replace(SHORT, rate_limit=100))[0])


def test_a_late_generator_comes_first_whatever_else_is_wrong() -> None:
    findings = found(replace(SHORT, generator_cost_s=0.003, region_lost=(13.0, 20.0)))
    assert findings[0].resource == "generator.cpu"
    assert "nothing is known of the target" in findings[0].prediction


def test_a_lost_region_rests_on_its_receipt() -> None:
    finding = found(replace(SHORT, region_lost=(13.0, 18.0)))[0]
    assert finding.saturates_at is None
    assert "probes without an answer" in statements(finding)
    assert finding.cause_chain[-1].statement == "cut off by region_down-1"
    assert finding.confidence > 0.8
