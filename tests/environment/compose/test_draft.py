"""Drafts: what is written can be read, and says what was guessed."""

from pathlib import Path
from typing import Any

import pytest

from chaoskit import plan as planning
from chaoskit.environment.compose.draft import component_names, draft, to_name
from chaoskit.environment.compose.survey import survey
from chaoskit.scenario import load, load_manifest

SERVICES: dict[str, Any] = {
    "Web.Front": {"image": "nginx", "ports": ["80:80"], "environment": {"UPSTREAM": "api:8000"}},
    "api": {
        "build": ".",
        "expose": ["8000", "9100"],
        "environment": {"DATABASE_URL": "postgres://db/app"},
        "depends_on": ["queue"],
        "healthcheck": {"test": ["CMD", "curl", "http://localhost:8000/it's #1"]},
    },
    "db": {"image": "postgres", "volumes": ["./data:/var/lib/postgresql/data"]},
    "queue": {"image": "rabbitmq"},
    "yes": {"image": "redis"},
}


def written(folder: Path, services: dict[str, Any]) -> str:
    drafted = draft("mine", "docker-compose.yaml", survey(services, lambda _: ()), "target.yaml")
    names = "".join(f"  {name}: {{image: x}}\n" for name in services)
    (folder / "docker-compose.yaml").write_text(f"services:\n{names}")
    (folder / "target.yaml").write_text(drafted.target)
    (folder / "day.yaml").write_text(drafted.scenario)
    return drafted.scenario


def test_a_draft_can_be_planned(tmp_path: Path) -> None:
    written(tmp_path, SERVICES)
    plan = planning.build(load(tmp_path / "day.yaml"))
    assert plan.driver == "compose"
    assert [link.name for link in plan.links] == [
        "client->web-front",
        "web-front->api",
        "web-front->api:tcp-9100",
        "api->db",
        "api->queue",
    ]
    assert {one.name: one.service for one in plan.instances}["web-front"] == "Web.Front"
    assert plan.faults[0].kind == "latency"
    assert plan.faults[0].links == ("web-front->api", "web-front->api:tcp-9100")


def test_what_is_guessed_is_said(tmp_path: Path) -> None:
    written(tmp_path, SERVICES)
    text = (tmp_path / "target.yaml").read_text()
    for comment in (
        "entry: true    # load enters here: guessed, for it publishes a port",
        "- db    # guessed from environment: DATABASE_URL",
        "- queue    # guessed from depends_on; only the start's order says so: remove it if it is not called",
        '# a run shares the folder "./data" with yours, and may write to it',
        "# ready when its health check in the compose file passes",
        "number: 5432}    # other services name it",
        "number: 5672}    # usual for this image",
    ):
        assert comment in text


def test_a_fault_whose_effect_can_be_measured_is_chosen(tmp_path: Path) -> None:
    services = {"api": {"ports": ["80:80"], "links": ["queue"]}, "queue": {"image": "rabbitmq"}}
    assert "- down: {link: api->queue}" in written(tmp_path, services)


def test_without_http_there_is_no_scenario(tmp_path: Path) -> None:
    services = {"db": {"image": "postgres", "ports": ["5432:5432"]}}
    assert written(tmp_path, services) == ""
    assert load_manifest(tmp_path / "target.yaml").components["db"].entry


def test_a_worker_without_a_port_may_have_links(tmp_path: Path) -> None:
    services = {"api": {"ports": ["80:80"]}, "worker": {"links": ["yes"]}, "yes": {"image": "redis"}}
    written(tmp_path, services)
    assert load_manifest(tmp_path / "target.yaml").components["worker"].links == ["yes"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("api", "api"), ("My Shop!", "my-shop"), ("2fast", "target-2fast"), ("..", "target"), ("é", "target")],
)
def test_names(text: str, name: str) -> None:
    assert to_name(text) == name


def test_no_two_components_have_one_name() -> None:
    assert component_names(["a.b", "a-b", "client"]) == {"a.b": "a-b", "a-b": "a-b-1", "client": "client-1"}
