"""How commands that we print begin."""

import sys
from pathlib import Path

import pytest

from chaoskit.cli.program import program


@pytest.mark.parametrize(
    ("typed", "said"), [(".venv/bin/chaoskit", ".venv/bin/chaoskit"), ("/x/chaoskit/__main__.py", "python -m chaoskit")]
)
def test_what_was_typed_where_the_name_is_not_on_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: str, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", [typed])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == said
    (tmp_path / "chaoskit").touch(mode=0o755)
    assert program() == "chaoskit"
