from pathlib import Path

import pytest

from chaoskit.scenario.builtin import (
    OWN_FOLDERS,
    find_scenario,
    find_target,
    folder,
    is_builtin,
    list_scenarios,
    scenario_names,
    target_names,
)

GOOD = Path(__file__).parent / "good"
TARGETS = Path(__file__).parent / "targets"


def test_the_checkout_s_own_files_are_the_built_in_ones() -> None:
    assert (folder("scenarios") / "smoke.yaml").is_file()
    assert (folder("targets") / "exchange" / "target.yaml").is_file()


def test_own_scenarios_come_before_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "smoke.yaml").write_text("title: my own")
    assert find_scenario("smoke", [tmp_path]) == tmp_path / "smoke.yaml"
    assert find_scenario("smoke", []) == folder("scenarios") / "smoke.yaml"
    assert find_scenario("smoke", [tmp_path / "nowhere"]) == folder("scenarios") / "smoke.yaml"
    assert find_scenario("nothing", [tmp_path]) is None
    assert scenario_names([tmp_path]).count("smoke") == 1


def test_own_targets_come_before_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "exchange").mkdir()
    (tmp_path / "exchange" / "target.yaml").touch()
    assert find_target("exchange", [tmp_path]) == tmp_path / "exchange" / "target.yaml"
    assert find_target("shop", [TARGETS]) == TARGETS / "shop" / "target.yaml"
    assert find_target("shop", []) is None
    assert set(target_names([TARGETS])) >= {"shop", "exchange"}


def test_scenarios_are_listed_with_their_titles_even_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("title: [")
    (tmp_path / "own.yml").write_text("title: My own")
    listed = {one.name: one for one in list_scenarios([tmp_path])}
    assert (listed["broken"].title, listed["own"].title) == ("", "My own")
    assert not listed["own"].builtin
    assert listed["smoke"].builtin
    assert listed["smoke"].title


def test_a_scenario_in_the_current_folder_has_a_name_and_other_yaml_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-first-day.yaml").write_text("title: My day\nphases: []\n")
    (tmp_path / "docker-compose.yaml").write_text("services: {}\n")
    own = [listed for listed in list_scenarios(OWN_FOLDERS) if not listed.builtin]
    assert [(listed.name, listed.title, listed.path) for listed in own] == [
        ("my-first-day", "My day", Path("my-first-day.yaml"))
    ]


def test_what_is_built_in_is_known_as_such(tmp_path: Path) -> None:
    assert is_builtin(folder("targets") / "exchange" / "exchange" / "venue.py")
    assert not is_builtin(tmp_path / "flows.py")
