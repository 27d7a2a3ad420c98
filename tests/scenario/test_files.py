"""A name that no file can have is one of a file that is not there: a sentence at its place, and no traceback."""

from pathlib import Path

import pytest

from chaoskit.errors import InvalidFile, UsageError
from chaoskit.scenario import load
from chaoskit.scenario.files import is_file, is_folder
from chaoskit.scenario.loader import find_manifest, load_manifest

LONG = "x" * 300
DAY = """\
version: 1
name: day
target: {external: {api: "http://127.0.0.1:8080"}}
load: {shoppers: {locustfile: FILE, users: 5}}
phases: [{one: {for: 5s}}]
objectives: [errors < 1%]
"""
MANIFEST = """\
version: 1
name: shop
components:
  api:
    entry: true
    command: [serve]
    directory: FOLDER
    ports: {http: {protocol: http}}
    container: {build: {context: FOLDER}}
"""


def test_names_that_are_too_long(tmp_path: Path) -> None:
    assert not is_file(tmp_path / LONG)
    assert not is_folder(tmp_path / LONG)
    assert is_folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DAY.replace("FILE", f"{LONG}.py"), "there is no file 'xxx"),
        (DAY.replace("locustfile: FILE, users: 5", f"python: '{LONG}.py:buy', rate: 1/s"), "is not there or cannot be"),
        (
            DAY.replace('{external: {api: "http://127.0.0.1:8080"}}', f"{{use: ./{LONG}.yaml}}"),
            "there is no file './xx",
        ),
        (DAY.replace('{external: {api: "http://127.0.0.1:8080"}}', f"{{use: {LONG}}}"), "there is no target 'xxx"),
    ],
    ids=["locustfile", "python", "target by path", "target by name"],
)
def test_a_scenario_that_names_one_is_told_so(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(text)
    with pytest.raises(InvalidFile, match=words):
        load(file)


def test_a_manifest_that_names_one_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(MANIFEST.replace("FOLDER", LONG))
    with pytest.raises(InvalidFile) as raised:
        load_manifest(file)
    assert str(raised.value).count("there is no folder 'xxx") == 2


def test_a_compose_file_that_is_one(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(f"version: 1\nname: shop\ncompose: {{file: {LONG}.yaml}}\ncomponents: {{api: {{entry: true}}}}\n")
    with pytest.raises(InvalidFile, match="there is no file 'xxx"):
        load_manifest(file)


def test_a_scenario_and_a_target_on_the_command_line() -> None:
    with pytest.raises(UsageError, match="there is no file xxx"):
        load(f"{LONG}.yaml")
    with pytest.raises(UsageError, match="there is no scenario 'xxx"):
        load(LONG)
    assert find_manifest(f"{LONG}.yaml") is None
