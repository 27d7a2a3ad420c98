"""What the analysis makes of metrics that tell less than ours: no waits, no counts, readings in place of counters.

It may say less then, and never something else.
"""

from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.observations import observe
from chaoskit.analysis.result import Bottleneck, Result
from chaoskit.analysis.validity import checks
from chaoskit.plan.model import Plan
from chaoskit.records import History
from tests.support.exporters import mapped, undeclared, without
from tests.support.simulation import AMPLE, simulate

Run = tuple[Plan, History]
LINK = "gateway->positions"
SHORT = replace(AMPLE, surge_s=14.0, recovery_s=6.0)
HOLD_S = AMPLE.query_time_s + 0.0002
POOL_SHARE = SHORT.share_of(4 / HOLD_S, positions=1)
FAULT = (13.0, 19.0, 0.3)


@pytest.fixture(scope="module")
def small_pool() -> Run:
    return simulate(replace(SHORT, db_pool=2))


@pytest.fixture(scope="module")
def slow_link() -> Run:
    return simulate(replace(SHORT, latency=FAULT))


def first(run: Run) -> Bottleneck:
    result: Result = analyse(*run)
    assert result.bottlenecks, result.headline
    return result.bottlenecks[0]


def test_a_wait_that_is_declared_is_enough_to_name_the_pool(small_pool: Run) -> None:
    found = first(mapped(small_pool, resource="db_pool", waits_for=(LINK,)))
    assert found.resource == "exchange/gateway.db_pool"
    assert found.saturates_at is not None
    assert found.saturates_at.share == pytest.approx(POOL_SHARE, rel=0.15)
    assert "as long as it is held no longer than undisturbed" in found.prediction


def test_a_wait_that_is_declared_leads_to_a_fault_and_says_that_it_was_not_measured(slow_link: Run) -> None:
    found = first(mapped(slow_link, resource="db_pool", waits_for=(LINK,)))
    assert (found.resource, found.fault) == (f"link:{LINK}", "latency-1")
    victims = [step.statement for step in found.cause_chain if step.role == "victim"]
    assert victims[-1] == f"held for link:{LINK}, as its manifest says; for how long is not measured"


def test_of_two_declared_waits_neither_is_slower_without_a_fault(slow_link: Run) -> None:
    both = mapped(undeclared(slow_link), resource="db_pool", waits_for=(LINK, "gateway->engine"))
    found = analyse(*both).bottlenecks
    assert not [one.resource for one in found if one.kind == "link"]


def test_how_a_mapped_pool_would_do_on_its_own_is_not_said(small_pool: Run) -> None:
    for waits_for in ((), (LINK,)):
        rungs = analyse(*mapped(small_pool, resource="db_pool", waits_for=waits_for)).ladder
        assert [rung.own_share for rung in rungs if rung.resource == "exchange/gateway.db_pool"] == [None]
    measured = next(one for one in analyse(*small_pool).ladder if one.resource == "exchange/gateway.db_pool")
    assert measured.own_share is None or measured.own_share > 10


def test_a_pool_whose_waits_nobody_knows_is_said_to_be_full_and_no_more(small_pool: Run) -> None:
    found = first(mapped(small_pool, resource="db_pool"))
    assert found.resource == "exchange/gateway.db_pool"
    assert found.cause_chain[-1].statement == "full; what it waits for is not measured"


def test_without_counts_a_full_pool_is_named_and_its_capacity_is_not(small_pool: Run) -> None:
    found = first(mapped(small_pool, resource="db_pool", waits_for=(LINK,), uncounted=True))
    assert (found.resource, found.saturates_at) == ("exchange/gateway.db_pool", None)
    assert found.prediction.startswith("A larger gateway.db_pool helps; too little was seen of it")


def test_without_counts_a_pool_that_is_not_full_is_sized_by_arrivals_of_the_load() -> None:
    run = mapped(simulate(SHORT), resource="db_pool", waits_for=(LINK,), uncounted=True)
    rung = next(one for one in analyse(*run).ladder if one.resource == "exchange/gateway.db_pool")
    assert rung.saturates_at.share == pytest.approx(SHORT.share_of(2 * SHORT.db_pool / HOLD_S, positions=1), rel=0.1)


def test_a_pool_that_was_hardly_ever_read_in_use_has_no_rung(small_pool: Run) -> None:
    idle = mapped(simulate(replace(AMPLE, surge_s=4.0, query_time_s=0.0002)), resource="db_pool", level=True)
    assert "exchange/gateway.db_pool" not in [rung.resource for rung in analyse(*idle).ladder]
    full = mapped(small_pool, resource="db_pool", waits_for=(LINK,), level=True)
    rung = next(rung for rung in analyse(*full).ladder if rung.resource == "exchange/gateway.db_pool")
    assert rung.saturates_at.share == pytest.approx(POOL_SHARE, rel=0.15)


def test_through_a_component_of_which_nothing_is_measured_the_search_goes_on() -> None:
    found = first(without(simulate(replace(SHORT, connections=3)), "gateway"))
    assert found.resource == "exchange/positions.connections"


def test_a_fault_behind_a_component_of_which_nothing_is_measured_is_on_the_way(slow_link: Run) -> None:
    assert first(without(slow_link, "gateway")).resource == f"link:{LINK}"


def test_busier_than_all_servers_means_that_the_mapping_is_wrong(small_pool: Run) -> None:
    spoilt = mapped(small_pool, resource="db_pool", waits_for=(LINK,), times=1000)
    failed = [check for check in checks(observe(*spoilt)) if check.name.startswith("mapping of")]
    assert [check.ok for check in failed] == [False, False]
    assert failed[0].statement.endswith("which cannot be: check `servers` and `busy` of its `metrics`.")
    assert not [check for check in checks(observe(*small_pool)) if check.name.startswith("mapping of")]
