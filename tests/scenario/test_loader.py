from pathlib import Path

import pytest

from chaoskit.errors import InvalidFile, UsageError
from chaoskit.scenario import load, load_manifest
from chaoskit.scenario.builtin import folder, list_scenarios

HERE = Path(__file__).parent
TARGETS = HERE / "targets"
GOOD = sorted((HERE / "good").glob("*.yaml"))
EXTERNAL = """
version: 1
name: quotes
target: {external: {api: "http://api.example.com"}}
load: {quotes: {request: {path: /}, rate: 1/s}}
phases: [{baseline: {for: 1s}}]
"""


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_files_load(path: Path) -> None:
    loaded = load(path, search=[TARGETS])
    assert loaded.scenario.name == path.stem
    assert loaded.text == path.read_text()


def test_problems_name_files_as_seen_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "bad.yaml").write_text("[")
    monkeypatch.chdir(tmp_path)
    for path in ("days/bad.yaml", tmp_path / "days" / "bad.yaml"):
        with pytest.raises(InvalidFile) as caught:
            load(path)
        assert caught.value.problems[0].file == "days/bad.yaml"


def test_a_scenario_is_found_by_name_in_the_folders_of_search() -> None:
    loaded = load("least", search=[HERE / "good", TARGETS])
    assert loaded.path == HERE / "good" / "least.yaml"
    assert loaded.manifest_folder == TARGETS / "shop"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("leest", "there is no scenario 'leest'; did you mean `least`"),
        ("./nowhere.yaml", "there is no file ./nowhere.yaml"),
        ("nowhere.yaml", "there is no file nowhere.yaml"),
    ],
)
def test_what_is_not_found_is_told(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(name, search=[HERE / "good", TARGETS])


def test_settings_come_from_the_manifest_then_the_file_then_the_command_line() -> None:
    plain = load("least", search=[HERE / "good", TARGETS])
    assert plain.settings["counter.pool"] == 16
    assert plain.settings["till.service_time"] == 100
    full = load("full", search=[HERE / "good", TARGETS], overrides={"counter.pool": "4"}, seed=7)
    assert full.settings["counter.pool"] == 4
    assert full.settings["till.service_time"] == 400
    assert full.seed == 7


def test_overrides_are_checked_together_with_the_file(tmp_path: Path) -> None:
    overrides = {"counter.pol": "4", "till.service_time": "fast"}
    with pytest.raises(InvalidFile) as caught:
        load("least", search=[HERE / "good", TARGETS], overrides=overrides)
    assert [str(problem) for problem in caught.value.problems] == [
        "--set counter.pol: the target declares no such setting; did you mean `counter.pool`?",
        "--set till.service_time: 'fast' is not a duration; write it like 15s, 40ms or 400us",
    ]


def test_hosts_outside_need_to_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "quotes.yaml"
    path.write_text(EXTERNAL)
    with pytest.raises(InvalidFile, match=r"pass --allow-target api\.example\.com"):
        load(path)
    assert load(path, allow_targets=["api.example.com"]).topology.edges[0].upstream == "api.example.com:80"


def test_a_target_may_lie_next_to_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for file in (TARGETS / "shop").iterdir():
        (tmp_path / "shop" / file.name).write_bytes(file.read_bytes())
    text = (HERE / "good" / "least.yaml").read_text()
    for use in ("shop", "./shop/target.yaml"):
        path = tmp_path / "mine.yaml"
        path.write_text(text.replace("use: shop", f"use: {use}"))
        assert load(path).manifest_folder == tmp_path / "shop"


@pytest.mark.parametrize(
    "expected", ["shop/till.loop", "till.loop", "link:counter->till", "region:local", "local", "none"]
)
def test_what_can_be_expected_to_be_the_bottleneck(tmp_path: Path, expected: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{(HERE / 'good' / 'least.yaml').read_text()}expect: {{bottleneck: '{expected}'}}\n")
    assert load(path, search=[TARGETS]).scenario.expect is not None


def test_the_code_that_a_run_would_import_is_named() -> None:
    full = load("full", search=[HERE / "good", TARGETS])
    named = {file.resolve() for file in full.runs_code}
    assert named == {TARGETS / "shop" / "shop_flows.py", TARGETS / "shop" / "shoppers.py"}
    assert load("external", search=[HERE / "good"]).runs_code == ()


def test_a_manifest_loads_by_itself() -> None:
    assert load_manifest(TARGETS / "shop" / "target.yaml").name == "shop"


def test_users_scenarios_are_listed_before_the_built_in_ones() -> None:
    listed = list_scenarios([HERE / "good"])
    assert [one.name for one in listed[:3]] == ["external", "full", "least"]
    assert listed[1].title == "Every key once"
    assert {one.name for one in listed if one.builtin} >= {"smoke", "liquidation-cascade", "region-outage"}
    assert folder("scenarios").name == "scenarios"


@pytest.mark.parametrize("listed", list_scenarios(), ids=lambda listed: listed.name)
def test_built_in_scenarios_are_valid(listed: object) -> None:
    name = getattr(listed, "name", "")
    loaded = load(name)
    assert loaded.scenario.name == name
    assert loaded.scenario.title
