"""The commands that start nothing."""

import json
from pathlib import Path

import jsonschema
import pytest

from chaoskit.cli.arguments import read_settings
from chaoskit.errors import UsageError
from tests.cli.conftest import Call
from tests.support.shop_plan import DAY


def test_list_as_table_and_as_json(chaoskit: Call) -> None:
    names = json.loads(chaoskit("list", "--json").stdout)
    assert {"smoke", "liquidation-cascade", "region-outage"} <= set(names["scenarios"])
    assert names["targets"] == ["exchange"]
    assert "liquidation-cascade" in chaoskit("list").stdout


def test_validate_says_what_runs_code(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(DAY)
    said = chaoskit("validate", "day.yaml")
    assert said.returncode == 0
    assert "shop-day: valid; 9 s, 1 streams, 0 faults" in said.stdout
    assert "flows.py" in said.stdout


def test_a_plan_is_the_same_each_time(chaoskit: Call) -> None:
    first, second = (chaoskit("plan", "smoke", "--json") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout
    assert chaoskit("plan", "smoke", "--json", "--seed", "2").stdout != first.stdout
    assert "latency" in chaoskit("plan", "smoke").stdout


def test_the_schema_is_one(chaoskit: Call) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(chaoskit("schema").stdout))


def test_init_copies_and_overwrites_nothing(chaoskit: Call, tmp_path: Path) -> None:
    assert chaoskit("init", "mine").returncode == 0
    assert (tmp_path / "mine" / "targets" / "exchange" / "target.yaml").is_file()
    assert chaoskit("validate", "mine/scenarios/smoke.yaml").returncode == 0
    again = chaoskit("init", "mine")
    assert again.returncode == 2
    assert "exist already" in again.stderr


def test_doctor_and_clean_have_nothing_to_hide(chaoskit: Call) -> None:
    said = chaoskit("doctor")
    assert said.returncode == 0
    assert "toxiproxy-server" in said.stdout
    assert chaoskit("clean").returncode == 0


@pytest.mark.parametrize("pairs", [["a=1"], ["a.b"], ["a.b="], ["a.b=1", "a.b=2"]])
def test_bad_settings(pairs: list[str]) -> None:
    with pytest.raises(UsageError):
        read_settings(pairs)


def test_settings_may_hold_an_equals_sign() -> None:
    assert read_settings(["a.b=c=d"]) == {"a.b": "c=d"}
