"""The commands that start nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from chaoskit.cli.arguments import read_settings
from chaoskit.errors import UsageError
from tests.cli.conftest import Call, command, environment
from tests.support.shop_plan import DAY, SHOP


def test_list_as_table_and_as_json(chaoskit: Call) -> None:
    names = json.loads(chaoskit("list", "--json").stdout)
    assert {"smoke", "liquidation-cascade", "region-outage"} <= set(names["scenarios"])
    assert names["targets"] == ["exchange"]
    assert "liquidation-cascade" in chaoskit("list").stdout


def test_a_pipe_has_no_width(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    path = tmp_path / "scenarios" / f"{'long-' * 30}day.yaml"
    path.write_text(f"title: {'A long title. ' * 10}\n")
    said = subprocess.run(
        command("list"),
        check=True,
        cwd=tmp_path,
        env={name: value for name, value in environment().items() if name != "COLUMNS"},
        capture_output=True,
        text=True,
    )
    assert str(path.relative_to(tmp_path)) in said.stdout


def test_list_shows_own_scenarios_and_targets_in_full(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "targets" / "mine").mkdir(parents=True)
    (tmp_path / "targets" / "mine" / "target.yaml").touch()
    (tmp_path / "scenarios").mkdir()
    title = "A day [bold]as[/bold] it :fire: was [/]"
    (tmp_path / "scenarios" / "own.yaml").write_text(f"title: '{title}'\n")
    names = json.loads(chaoskit("list", "--json").stdout)
    assert "own" in names["scenarios"]
    assert names["targets"] == ["mine", "exchange"]
    said = chaoskit("list")
    assert title in said.stdout
    assert "targets: mine, exchange" in said.stdout


def test_validate_checks_a_target_alone(chaoskit: Call, tmp_path: Path) -> None:
    said = chaoskit("validate", str(SHOP))
    assert (said.returncode, said.stdout) == (0, "shop: a valid target; 1 component, 5 settings, 1 flow\n")
    (tmp_path / "target.yaml").write_text("version: 1\nname: broken\ncomponents: {api: {comand: [x]}}\n")
    broken = chaoskit("validate", "target.yaml")
    assert broken.returncode == 2
    assert "target.yaml:3:" in broken.stderr
    assert "did you mean `command`" in broken.stderr


def test_validate_takes_the_name_of_a_target_and_tells_a_folder(chaoskit: Call, tmp_path: Path) -> None:
    said = chaoskit("validate", "exchange")
    assert said.returncode == 0
    assert said.stdout.startswith("exchange: a valid target; ")
    (tmp_path / "days").mkdir()
    for name in ("days", "days/"):
        said = chaoskit("validate", name)
        assert said.returncode == 2
        assert f"{name} is a folder; name a scenario file in it" in said.stderr


def test_built_in_flows_are_not_called_the_user_s(chaoskit: Call) -> None:
    said = chaoskit("validate", "smoke")
    assert said.returncode == 0
    assert "runs code" not in said.stdout


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("run smo", ["smoke"]),
        ("up ex", ["exchange"]),
        ("validate ", ["smoke", "exchange"]),
        ("report n", ["new-1-abc"]),
    ],
)
def test_names_are_completed(tmp_path: Path, arguments: str, names: list[str]) -> None:
    (tmp_path / "reports" / "new-1-abc").mkdir(parents=True)
    (tmp_path / "reports" / "new-1-abc" / "plan.json").touch()
    completing = {
        "_CHAOSKIT_COMPLETE": "complete_bash",
        "COMP_WORDS": f"chaoskit {arguments}",
        "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": f"chaoskit {arguments}",
    }
    said = subprocess.run(
        [sys.executable, "-c", "from chaoskit.cli.main import app; app(prog_name='chaoskit')"],
        check=False,
        cwd=tmp_path,
        env={**environment(), **completing},
        capture_output=True,
        text=True,
    )
    assert set(names) <= set(said.stdout.split()), said.stderr


@pytest.mark.parametrize("name", ["validate", "plan"])
def test_an_objective_without_enough_arrivals_is_warned_of(chaoskit: Call, tmp_path: Path, name: str) -> None:
    (tmp_path / "day.yaml").write_text(DAY + "objectives: [buying p99.9 < 1s in baseline, buying p50 < 1s]\n")
    said = chaoskit(name, "day.yaml")
    assert said.returncode == 0
    assert "p99.9" in said.stderr
    assert "p50" not in said.stderr


def test_a_plan_is_shown_as_it_is_written(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(DAY.replace("A busy day", "A [red]busy[/] :fire:day"))
    said = chaoskit("plan", "day.yaml")
    assert said.returncode == 0
    assert "A [red]busy[/] :fire:day at the shop" in said.stdout


def test_validate_says_what_runs_code(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(DAY)
    said = chaoskit("validate", "day.yaml")
    assert said.returncode == 0
    assert "shop-day: valid; 9 s, 1 stream, 0 faults" in said.stdout
    assert "flows.py" in said.stdout


def test_a_plan_is_the_same_each_time(chaoskit: Call) -> None:
    first, second = (chaoskit("plan", "smoke", "--json") for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout
    assert chaoskit("plan", "smoke", "--json", "--seed", "2").stdout != first.stdout
    assert "latency" in chaoskit("plan", "smoke").stdout


def test_the_schemas_are_such_and_fit(chaoskit: Call) -> None:
    for arguments, file in (([], DAY), (["--target"], SHOP.read_text())):
        schema = json.loads(chaoskit("schema", *arguments).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(YAML(typ="safe").load(file))


def test_init_copies_and_overwrites_nothing(chaoskit: Call, tmp_path: Path) -> None:
    said = chaoskit("init", "mine")
    assert said.returncode == 0
    assert said.stdout.splitlines()[-1].endswith("chaoskit run mine/scenarios/smoke.yaml")
    assert (tmp_path / "mine" / "targets" / "exchange" / "target.yaml").is_file()
    assert chaoskit("validate", "mine/scenarios/smoke.yaml").returncode == 0
    again = chaoskit("init", "mine")
    assert again.returncode == 2
    assert "exist already" in again.stderr


def test_doctor_and_clean_have_nothing_to_hide(chaoskit: Call) -> None:
    said = chaoskit("doctor")
    assert said.returncode == 0
    assert re.search(
        r"Toxiproxy +the embedded server +used for every link: CHAOSKIT_TOXIPROXY asks for it", said.stdout
    )
    assert re.search(r"Docker engine .* CHAOSKIT_DRIVER=process decides how targets come up", said.stdout)
    assert chaoskit("clean").returncode == 0


@pytest.mark.parametrize("pairs", [["a=1"], ["a.b"], ["a.b="], ["a.b=1", "a.b=2"]])
def test_bad_settings(pairs: list[str]) -> None:
    with pytest.raises(UsageError):
        read_settings(pairs)


def test_settings_may_hold_an_equals_sign() -> None:
    assert read_settings(["a.b=c=d"]) == {"a.b": "c=d"}
