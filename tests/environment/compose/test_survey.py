"""Guesses about services, from what compose files commonly say."""

from collections.abc import Mapping
from typing import Any

import pytest

from chaoskit.environment.compose.survey import FoundLink, FoundService, survey


def found(services: Mapping[str, Any], **image_ports: tuple[int, ...]) -> dict[str, FoundService]:
    return {one.name: one for one in survey(services, lambda image: image_ports.get(image, ()))}


def ports(service: FoundService) -> list[tuple[str, int, str]]:
    return [(port.name, port.number, port.protocol) for port in service.ports]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"image": "postgres:16"}, [("sql", 5432, "postgres")]),
        ({"image": "registry.example.com:5000/timescale/timescaledb-ha:pg16"}, [("sql", 5432, "postgres")]),
        ({"image": "postgres", "expose": ["6000"]}, [("sql", 6000, "postgres")]),
        ({"image": "redis:7-alpine", "ports": ["6380:6379"]}, [("redis", 6379, "redis")]),
        ({"image": "mysql:8"}, [("sql", 3306, "tcp")]),
        ({"image": "mine", "ports": ["127.0.0.1:80:8000"]}, [("http", 8000, "http")]),
        ({"image": "mine", "ports": [{"target": 9999, "published": 1}]}, [("tcp-9999", 9999, "tcp")]),
        ({"image": "mine", "ports": ["53:53/udp"]}, []),
        ({"image": "mine", "expose": ["8001-8002"]}, [("http", 8001, "http"), ("http-8002", 8002, "http")]),
        ({"image": "known"}, [("tcp-4444", 4444, "tcp")]),
        (
            {"build": ".", "healthcheck": {"test": "curl -f http://localhost:7777/up"}, "expose": ["7777"]},
            [("http", 7777, "http")],
        ),
    ],
)
def test_ports_and_their_protocols(service: dict[str, Any], expected: list[tuple[str, int, str]]) -> None:
    assert ports(found({"one": service}, known=(4444,))["one"]) == expected


def test_a_health_check_tells_the_path() -> None:
    check = {"test": ["CMD-SHELL", "wget -q http://127.0.0.1:8080/healthz || exit 1"]}
    one = found({"api": {"build": ".", "ports": ["8080:8080"], "healthcheck": check}})["api"]
    assert one.ports[0].path == "/healthz"
    assert one.has_health_check
    assert not found({"api": {"expose": ["1"], "healthcheck": {"test": ["NONE"]}}})["api"].has_health_check


@pytest.mark.parametrize(
    ("service", "source"),
    [
        ({"environment": {"DATABASE_URL": "postgres://user:secret@db:5432/app"}}, "environment: DATABASE_URL"),
        ({"environment": ["DATABASE_URL=postgresql+asyncpg://db/app"]}, "environment: DATABASE_URL"),
        ({"environment": {"PGHOST": "db"}}, "environment: PGHOST"),
        ({"environment": {"BROKERS": "other:1,db:9092"}}, "environment: BROKERS"),
        ({"command": "serve --database 'the-db:5432'"}, "command"),
        ({"entrypoint": ["wait-for-it", "alias:5432"]}, "entrypoint"),
        ({"links": ["db:old"], "command": ["psql", "-h", "old"]}, "command"),
        ({"links": ["db"]}, "links"),
    ],
)
def test_a_link_is_what_names_an_address(service: dict[str, Any], source: str) -> None:
    database = {"image": "postgres", "container_name": "the-db", "networks": {"default": {"aliases": ["alias"]}}}
    api = found({"api": {"ports": ["80:80"], **service}, "db": database})["api"]
    assert api.links == (FoundLink("db", source, True),)


@pytest.mark.parametrize(
    "environment",
    [{"POSTGRES_DB": "db"}, {"URL": "http://db.example.com:80"}, {"URL": "db://other"}, {"URL": "http://other/db"}],
)
def test_a_name_alone_is_no_link(environment: dict[str, str]) -> None:
    assert found({"api": {"environment": environment, "ports": ["80"]}, "db": {"image": "postgres"}})["api"].links == ()


def test_what_only_orders_the_start_is_in_doubt() -> None:
    services = {"api": {"ports": ["80"], "depends_on": {"db": {}, "job": {}}}, "db": {"image": "redis"}, "job": {}}
    assert found(services)["api"].links == (FoundLink("db", "depends_on", False),)  # nothing listens in a job


def test_a_url_tells_port_and_protocol_of_what_it_names() -> None:
    services = {
        "api": {"ports": ["80"], "environment": {"S": "http://shelf:7000/x", "T": "redis://till"}},
        "shelf": {},
        "till": {"build": "."},
    }
    assert ports(found(services)["shelf"]) == [("http", 7000, "http")]
    assert ports(found(services)["till"]) == [("redis", 6379, "redis")]


def test_load_enters_where_people_do() -> None:
    services: dict[str, dict[str, Any]] = {
        "web": {"image": "nginx", "ports": ["80:80"], "command": ["--upstream", "api:8000"]},
        "api": {"build": ".", "ports": ["8000:8000"], "environment": {"DB_HOST": "db"}},
        "db": {"image": "postgres", "ports": ["5432:5432"]},
        "host": {"image": "nginx", "network_mode": "host"},
    }
    assert [name for name, one in found(services).items() if one.entry] == ["web"]
    del services["web"]
    assert [name for name, one in found(services).items() if one.entry] == ["api"]
    del services["api"]
    assert [name for name, one in found(services).items() if one.entry] == ["db"]


def test_a_folder_that_both_write_to_is_remarked() -> None:
    volumes = ["./data:/data", "./code:/code:ro", "named:/named", {"type": "bind", "source": "/x", "target": "/x"}]
    remarks = found({"db": {"image": "postgres", "volumes": volumes}})["db"].remarks
    assert [remark.split('"')[1] for remark in remarks] == ["./data", "/x"]
