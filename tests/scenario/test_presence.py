"""Components that a setting asks for: there with everything around them, or gone with everything around them."""

from pathlib import Path

import pytest

from chaoskit.plan import build
from chaoskit.scenario import Loaded, load

MANIFEST = """
version: 1
name: shop
components:
  sessions:
    where: {api.login: [one, two], api.pool: 8}
    command: ["{python}", store.py]
    ports: {tcp: {}}
    settings: {slots: {type: integer, default: 2, help: Slots.}}
  api:
    entry: true
    links: [sessions]
    command: ["{python}", api.py, "--login={settings.login}", "--sessions={links.sessions}"]
    environment: {SESSIONS: "{links.sessions}", PLAIN: text}
    container: {image: api, command: [api, "{links.sessions}"]}
    ports: {http: {protocol: http}}
    settings:
      login: {type: choice, choices: ["off", one, two], default: "off", help: Whether to log in.}
      pool: {type: integer, default: 8, help: Places.}
figures:
  - {metric: sessions_open, component: sessions, title: Sessions}
"""

SCENARIO = """
version: 1
name: day
target: {use: ./target.yaml, settings: {api.login: one}}
load: {quotes: {request: {path: /}, rate: 1/s}}
phases: [{baseline: {for: 1s}}]
faults: [{stop: {component: sessions}, during: baseline}]
variants:
  without: {target: {settings: {api.login: "off"}}, faults: []}
"""


@pytest.fixture
def day(tmp_path: Path) -> Loaded:
    (tmp_path / "target.yaml").write_text(MANIFEST)
    (tmp_path / "day.yaml").write_text(SCENARIO)
    return load(tmp_path / "day.yaml")


def test_what_a_setting_asks_for_is_there(day: Loaded) -> None:
    plan = build(day)
    assert [instance.name for instance in plan.instances] == ["sessions", "api"]
    assert [link.name for link in plan.links] == ["client->api", "api->sessions"]
    assert [figure.metric for figure in plan.figures] == ["sessions_open"]
    assert plan.settings["sessions.slots"] == "2"


def test_what_no_setting_asks_for_leaves_nothing_behind(day: Loaded) -> None:
    plan = build(day.chosen("without"))
    (api,) = plan.instances
    assert api.command == ("{python}", "api.py", "--login={settings.login}")
    assert api.environment == {"PLAIN": "text"}
    assert api.container is not None
    assert api.container.command == ("api",)
    assert [link.name for link in plan.links] == ["client->api"]
    assert plan.figures == ()
    assert set(plan.settings) == {"api.login", "api.pool"}


def test_an_override_counts_and_all_settings_must_fit(tmp_path: Path, day: Loaded) -> None:
    two = load(day.path, overrides={"api.login": "two"})
    assert len(build(two).instances) == 2
    (tmp_path / "quiet.yaml").write_text(SCENARIO.partition("faults:")[0])
    assert len(build(load(tmp_path / "quiet.yaml", overrides={"api.pool": "9"})).instances) == 1
