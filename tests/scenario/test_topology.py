from pathlib import Path

import pytest

from chaoskit.scenario import load_manifest
from chaoskit.scenario.topology import of_manifest, of_urls

SHOP = load_manifest(Path(__file__).parent / "targets" / "shop" / "target.yaml")
REGIONS = ["us-east-1", "eu-west-1"]


def test_links_of_a_region_stay_in_it() -> None:
    edges = {edge.name: edge for edge in of_manifest(SHOP, REGIONS).edges}
    assert "counter@us-east-1->database@us-east-1" in edges
    assert "counter@us-east-1->database@eu-west-1" not in edges
    assert edges["till->database@eu-west-1"].regions == ("eu-west-1",)
    assert edges["counter@us-east-1->till"].regions == ("us-east-1",)
    assert edges["counter@us-east-1->database@us-east-1"].regions == ("us-east-1",)


def test_a_name_means_one_link_or_all_of_a_kind() -> None:
    topology = of_manifest(SHOP, REGIONS)
    assert topology.links("counter->till") == ("counter@us-east-1->till", "counter@eu-west-1->till")
    assert topology.links("counter@eu-west-1->till") == ("counter@eu-west-1->till",)
    assert topology.links("till->counter") == ()
    assert topology.link_names[:2] == ("client->counter", "till->database")


def test_resources_are_named_without_regions() -> None:
    assert set(of_manifest(SHOP, REGIONS).resources) == {
        "shop/database.connections",
        "shop/till.loop",
        "shop/till.queue",
        "shop/till.cpu",
        "shop/counter.pool",
        "shop/counter.limiter",
    }


@pytest.mark.parametrize(
    ("url", "upstream"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "localhost:80"),
        ("http://[::1]:9000/", "[::1]:9000"),
    ],
)
def test_urls_become_links_of_the_clients(url: str, upstream: str) -> None:
    topology = of_urls({"api": url}, {}, [])
    assert [(edge.name, edge.upstream) for edge in topology.edges] == [("client->api", upstream)]
    assert topology.instances == ()


def test_what_exists_once_can_be_placed_and_then_has_a_region() -> None:
    placed, unplaced = of_manifest(SHOP, REGIONS, placement={"till": "us-east-1"}), of_manifest(SHOP, REGIONS)
    links = {edge.name: edge for edge in placed.edges}
    assert links["counter@eu-west-1->till"].regions == ("eu-west-1", "us-east-1")
    assert links["counter@us-east-1->till"].regions == ("us-east-1",)
    assert placed.links_between(REGIONS) == ("till->database@eu-west-1", "counter@eu-west-1->till")
    assert unplaced.links_between(REGIONS) == ()
    assert "counter@eu-west-1->till" in placed.links_of_region("us-east-1")
    assert [one.name for one in placed.instances] == [one.name for one in unplaced.instances]


def test_a_name_means_one_instance_or_all_of_a_component() -> None:
    topology = of_manifest(SHOP, REGIONS)
    assert topology.instances_of("counter") == ("counter@us-east-1", "counter@eu-west-1")
    assert topology.instances_of("counter@eu-west-1") == ("counter@eu-west-1",)
    assert topology.instances_of("till") == ("till",)
    assert topology.instances_of("tills") == ()
