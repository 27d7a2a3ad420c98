from pathlib import Path

import pytest

from chaoskit.scenario.code import missing_function, module_file

SOURCE = "from os import path as way\nimport json\nprice = 5\ndef buy(): ...\nclass Till: ...\nraise SystemExit\n"


@pytest.mark.parametrize("name", ["buy", "Till", "price", "way", "json"])
def test_what_is_bound_at_the_top_level_is_found_and_nothing_is_run(tmp_path: Path, name: str) -> None:
    file = tmp_path / "flows.py"
    file.write_text(SOURCE)
    assert missing_function(file, name) is None


@pytest.mark.parametrize(
    ("source", "words"),
    [(b"def sell(): ...", "defines no function buy"), (b"def", "not valid Python"), (b"\x00", "not valid Python")],
)
def test_what_is_missing_is_told(tmp_path: Path, source: bytes, words: str) -> None:
    file = tmp_path / "flows.py"
    file.write_bytes(source)
    assert words in (missing_function(file, "buy") or "")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "flows.py is not there" in (missing_function(tmp_path / "flows.py", "buy") or "")


def test_modules_and_packages_have_their_files(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    assert module_file(tmp_path, "shop.flows") == tmp_path / "shop" / "flows.py"
    assert module_file(tmp_path, "shop") == tmp_path / "shop" / "__init__.py"
