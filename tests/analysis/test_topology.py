from dataclasses import replace

import pytest

from chaoskit.analysis.topology import Topology
from chaoskit.analysis.windows import ResourceSeries, resource_series
from chaoskit.plan.model import PlannedLink, Probe
from tests.support.exporters import without
from tests.support.simulation import AMPLE, simulate
from tests.support.small_plan import small_plan

WORKERS = "exchange/gateway@us-east-1.workers"
POOL = "exchange/gateway@us-east-1.db_pool"


@pytest.fixture(scope="module")
def target() -> tuple[Topology, dict[str, ResourceSeries]]:
    plan, history = simulate(replace(AMPLE, baseline_s=3.0, surge_s=3.0, recovery_s=1.0, ramp_s=1.0))
    series = resource_series(plan, history)
    return Topology(plan, series), series


def test_a_local_name_is_a_resource_of_the_same_instance(target: tuple[Topology, dict[str, ResourceSeries]]) -> None:
    topology, series = target
    assert [one.id for one in topology.suppliers(series[WORKERS], "db_pool")] == [POOL]
    assert topology.links(series[WORKERS], "db_pool") == []


def test_a_link_kind_leads_to_the_resources_of_its_own_region(
    target: tuple[Topology, dict[str, ResourceSeries]],
) -> None:
    topology, series = target
    links = topology.links(series[POOL], "gateway->positions")
    assert [link.name for link in links] == ["gateway@us-east-1->positions@us-east-1"]
    suppliers = topology.suppliers(series[POOL], "gateway->positions")
    assert [one.id for one in suppliers] == ["exchange/positions@us-east-1.connections"]


def test_queues_are_evidence_not_suppliers(target: tuple[Topology, dict[str, ResourceSeries]]) -> None:
    topology, series = target
    assert [one.id for one in topology.suppliers(series[WORKERS], "gateway->engine")] == ["exchange/engine.matching"]


def test_everything_behind_and_in_front(target: tuple[Topology, dict[str, ResourceSeries]]) -> None:
    topology, series = target
    behind = {one.id for one in topology.all_suppliers(series[WORKERS])}
    assert behind == {POOL, "exchange/positions@us-east-1.connections", "exchange/engine.matching"}
    in_front = {one.id for one in topology.holders(series[POOL])}
    assert in_front == {WORKERS, "exchange/gateway@us-east-1.rate_limit", "generator/worker@0.connections"}


def test_the_generator_waits_for_every_entry(target: tuple[Topology, dict[str, ResourceSeries]]) -> None:
    topology, series = target
    links = topology.links(series["generator/worker@0.connections"], "client->gateway")
    assert [link.name for link in links] == ["client->gateway@us-east-1", "client->gateway@eu-west-1"]


def test_the_links_of_a_path(target: tuple[Topology, dict[str, ResourceSeries]]) -> None:
    topology, series = target
    kinds = {link.kind for link in topology.path_links(series[WORKERS])}
    assert kinds == {"gateway->positions", "gateway->engine"}


def test_behind_an_instance_of_which_nothing_is_measured_anything_may_be_waited_for() -> None:
    plan, history = without(simulate(replace(AMPLE, baseline_s=3.0, surge_s=3.0, recovery_s=1.0)), "gateway")
    series = resource_series(plan, history)
    topology, generator = Topology(plan, series), series["generator/worker@0.connections"]
    entry, other = (link for link in plan.links if link.name in plan.entries)
    behind = ["gateway@us-east-1->engine", "gateway@us-east-1->positions@us-east-1"]
    assert [link.name for link in topology.unmeasured_links(entry)] == behind
    assert {link.name for link in topology.reach(generator, "client->gateway")} > {entry.name, other.name, *behind}
    assert "exchange/engine.matching" in [one.id for one in topology.suppliers(generator, "client->gateway")]


def test_any_part_of_a_system_that_runs_already_may_call_its_upstreams() -> None:
    entry = PlannedLink("client->api", "client->api", "client", "api", "http", (), Probe("http"))
    upstream = PlannedLink("system->db", "system->db", "system", "db", "sql", (), Probe("postgres"))
    plan = replace(small_plan(), instances=(), resources=(), links=(entry, upstream), entries=("client->api",))
    assert Topology(plan, {}).unmeasured_links(entry) == [upstream]
