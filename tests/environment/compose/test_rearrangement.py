"""What a run makes of a compose file: the same services, nothing that can meet the user's own."""

from pathlib import Path
from typing import Any

import pytest

from chaoskit.address import Address
from chaoskit.environment.compose.rearrangement import Component, Detour, Rearrangement

LABELS = {"chaoskit.run": "r1", "chaoskit.runner": "{}"}


def rearranged(
    services: dict[str, Any], components: dict[str, Component] | None = None, **more: object
) -> dict[str, Any]:
    rearrangement = Rearrangement("r1", "{}", Path("/home/me/My Shop"), components or {}, {"BASE": "base"}, "host")
    return rearrangement.of({"version": "3.8", "name": "shop", "services": services, **more})


def test_nothing_meets_what_the_user_runs() -> None:
    given = {
        "web": {
            "image": "nginx",
            "container_name": "front",
            "ports": ["80:80", "127.0.0.1:53:53/udp", {"target": 443, "published": "8443"}],
            "labels": ["mine=1"],
        }
    }
    config = rearranged(given, networks={"default": {"name": "shop_default"}}, volumes={"data": {"name": "precious"}})
    web = config["services"]["web"]
    assert "container_name" not in web
    assert web["networks"] == {"default": {"aliases": ["front"]}}
    assert web["ports"] == ["127.0.0.1::80/tcp", "127.0.0.1::53/udp", "127.0.0.1::443/tcp"]
    assert web["labels"] == {"mine": "1", **LABELS, "chaoskit.instance": "web"}
    assert config["networks"] == {"default": {"labels": LABELS}}
    assert config["volumes"] == {"data": {"labels": LABELS}}
    assert not {"version", "name"} & config.keys()
    assert given["web"]["container_name"] == "front"


def test_what_is_external_stays_as_it_is() -> None:
    shared = {"external": True, "name": "shared"}
    config = rearranged({"web": {"networks": ["shared"]}}, networks={"shared": shared}, volumes={"kept": shared})
    assert config["networks"] == {"shared": shared}
    assert config["volumes"] == {"kept": shared}


def test_ranges_of_addresses_and_bridges_are_the_users_unless_a_service_needs_them() -> None:
    ranges = {"ipam": {"config": [{"subnet": "10.9.0.0/24"}]}, "driver_opts": {"com.docker.network.bridge.name": "br0"}}
    config = rearranged({"web": {"networks": {"a": None}}}, networks={"a": ranges})
    assert config["networks"]["a"] == {"driver_opts": {}, "labels": LABELS}
    config = rearranged({"web": {"networks": {"a": {"ipv4_address": "10.9.0.7"}}}}, networks={"a": ranges})
    assert config["networks"]["a"]["ipam"] == ranges["ipam"]


def test_a_component_is_published_where_the_run_wants_it_and_finds_others_where_their_proxy_is() -> None:
    services = {
        "api": {
            "image": "api",
            "environment": ["POOL=1", "DEBUG"],
            "extra_hosts": ["other:10.0.0.1", "db=10.0.0.2"],
            "links": ["db:sql"],
            "ports": ["8000:8000", "9000:9000"],
            "deploy": {"replicas": 3},
            "scale": 2,
        },
        "db": {"image": "postgres", "container_name": "my-db", "networks": {"default": {"aliases": ["store"]}}},
    }
    component = Component(
        "shop",
        {8000: Address("127.0.0.1", 40000)},
        {"POOL": "8", "PRICE": "5$"},
        (Detour("run-link-0", "10.1.0.1", "db"),),
    )
    config = rearranged(services, {"api": component})
    api = config["services"]["api"]
    assert api["ports"] == ["127.0.0.1::9000/tcp", "127.0.0.1:40000:8000"]
    assert api["environment"] == {"POOL": "8", "DEBUG": None, "PRICE": "5$$"}
    assert api["networks"] == {"default": {}, "run-link-0": {}}
    names = ("db", "my-db", "store", "sql")
    assert sorted(api["extra_hosts"]) == sorted(["other:10.0.0.1", *(f"{name}:10.1.0.1" for name in names)])
    assert api["labels"]["chaoskit.instance"] == "shop"
    assert (api["deploy"], "scale" in api) == ({}, False)
    assert config["networks"]["run-link-0"] == {"external": True, "name": "run-link-0"}


def test_a_port_on_internal_networks_only_gets_a_network_that_can_publish_it() -> None:
    component = Component("db", {5432: Address("127.0.0.1", 40000)})
    config = rearranged({"db": {"networks": ["back"]}}, {"db": component}, networks={"back": {"internal": True}})
    (_, publishing) = config["services"]["db"]["networks"]
    assert config["networks"][publishing] == {"labels": LABELS}
    assert config["networks"]["back"] == {"internal": True, "labels": LABELS}


@pytest.mark.parametrize(
    ("service", "component", "expected"),
    [
        ({"cpus": "0.5"}, Component("a"), {"cpu_period": 100_000, "cpu_quota": 50_000}),
        (
            {"deploy": {"resources": {"limits": {"cpus": "1.5"}}}},
            Component("a"),
            {"cpu_period": 100_000, "cpu_quota": 150_000, "deploy": {"resources": {"limits": {}}}},
        ),
        ({"cpus": 2}, Component("a", cpus=0.25), {"cpu_period": 100_000, "cpu_quota": 25_000}),
        (
            {"mem_limit": "1g", "deploy": {"resources": {"limits": {"memory": "1g"}}}},
            Component("a", memory_bytes=64),
            {"mem_limit": 64, "memswap_limit": 64, "deploy": {}},
        ),
    ],
)
def test_limits(service: dict[str, Any], component: Component, expected: dict[str, Any]) -> None:
    found = rearranged({"a": service}, {"a": component})["services"]["a"]
    assert {key: found[key] for key in found if key not in {"labels", "networks"}} == expected


def test_what_is_built_has_a_name_of_its_own_that_stays_the_same() -> None:
    services = {
        "api": {"build": {"context": "/x", "args": ["A=1"]}, "image": "mine"},
        "worker": {"image": "mine"},
        "job": {"build": "/y"},
        "db": {"image": "postgres"},
    }
    first, second = (rearranged(services)["services"] for _ in range(2))
    assert first == second
    assert first["api"]["image"] == first["worker"]["image"]
    assert first["api"]["image"].startswith("chaoskit/my-shop-api:")
    assert first["job"]["image"].startswith("chaoskit/my-shop-job:")
    assert first["db"]["image"] == "postgres"
    assert first["api"]["build"]["args"] == {"A": "1", "BASE": "base"}
    assert first["job"]["build"] == {
        "context": "/y",
        "args": {"BASE": "base"},
        "labels": {"chaoskit.image": "compose"},
        "network": "host",
    }


def test_a_service_on_the_hosts_network_stays_there() -> None:
    host = rearranged({"host": {"network_mode": "host", "ports": ["80:80"]}})
    assert host["services"]["host"]["network_mode"] == "host"
    assert "networks" not in host["services"]["host"]
