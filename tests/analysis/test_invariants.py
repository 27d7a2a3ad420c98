from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.invariants import invariants
from chaoskit.analysis.result import Verdict
from chaoskit.plan.model import Plan
from chaoskit.records import History
from tests.support.simulation import AMPLE, simulate

SHORT = replace(AMPLE, baseline_s=6.0, surge_s=6.0, recovery_s=3.0, db_pool=2, latency=(8.0, 10.0, 0.02))


@pytest.fixture
def run() -> tuple[Plan, History]:
    return simulate(SHORT)


def test_a_sound_run_accounts_for_every_arrival_and_leaves_clean_links(run: tuple[Plan, History]) -> None:
    found = {check.name: check for check in invariants(*run)}
    assert list(found) == [
        "arrivals of trading accounted for",
        "arrivals of positions accounted for",
        "links clean again",
    ]
    assert all(check.ok for check in found.values())
    assert (
        found["links clean again"].statement == "Every link that a fault had touched (2 in all) was proven clean again."
    )
    assert analyse(*run).invariants == tuple(found.values())


def test_an_arrival_that_never_ended_is_missed(run: tuple[Plan, History]) -> None:
    plan, history = run
    first = history.completions[0]
    history.completions[0] = replace(first, ok=first.ok - 1)
    broken = [check for check in invariants(plan, history) if not check.ok]
    assert [check.name for check in broken] == [f"arrivals of {first.stream} accounted for"]
    result = analyse(plan, history)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert broken[0].statement in result.reasons


def test_a_link_that_stays_dirty_is_named(run: tuple[Plan, History]) -> None:
    plan, history = run
    history.receipts[0] = replace(history.receipts[0], clean_after=False)
    link = history.receipts[0].place
    assert invariants(plan, history)[-1].statement == f"Not clean again: {link} after latency-1."
    assert analyse(plan, history).verdict is Verdict.INCONCLUSIVE


def test_an_empty_history_shows_nothing(run: tuple[Plan, History]) -> None:
    assert invariants(run[0], History()) == ()
