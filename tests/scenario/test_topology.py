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
    topology = of_urls({"api": url}, [])
    assert [(edge.name, edge.upstream) for edge in topology.edges] == [("client->api", upstream)]
    assert topology.instances == ()
