from pathlib import Path

import pytest

from chaoskit.scenario.code import missing_function, missing_user, module_file

SOURCE = "from os import path as way\nimport json\nprice = 5\ndef buy(): ...\nclass Till: ...\nraise SystemExit\n"


@pytest.mark.parametrize("name", ["buy", "Till", "price", "way", "json"])
def test_what_is_bound_at_the_top_level_is_found_and_nothing_is_run(tmp_path: Path, name: str) -> None:
    file = tmp_path / "flows.py"
    file.write_text(SOURCE)
    assert missing_function(file, name) is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"def sell(): ...", "defines no function buy"),
        (b"\ndef", "flows.py:2 is not valid Python"),
        (b"\x00", "not valid Python"),
    ],
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


@pytest.mark.parametrize(
    "source",
    [
        "from locust import HttpUser\nclass Shopper(HttpUser): ...",
        "import locust\nif True:\n    class Shopper(locust.User): ...",
        "from shoppers import Shopper",
        "from .shoppers import *",
        "import locust\nShopper = type('Shopper', (locust.User,), {})",
    ],
)
def test_what_can_be_a_user_is_one(tmp_path: Path, source: str) -> None:
    file = tmp_path / "locustfile.py"
    file.write_text(source)
    assert missing_user(file) is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("from locust import HttpUser\nfrom dataclasses import dataclass\nclass Shopper: ...", "no class that can be"),
        ("", "no class that can be a Locust User"),
        ("import locust\nclass Shopper(locust.User:\n", "locustfile.py:2 is not valid Python"),
    ],
)
def test_a_locustfile_without_users_is_told(tmp_path: Path, source: str, words: str) -> None:
    file = tmp_path / "locustfile.py"
    file.write_text(source)
    assert words in (missing_user(file) or "")
