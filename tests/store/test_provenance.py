import json
import subprocess
from pathlib import Path

import pytest

from chaoskit.store.provenance import collect, git_state, redact
from tests.support.small_plan import small_plan


def test_a_run_can_be_repeated_from_its_provenance(tmp_path: Path) -> None:
    provenance = collect(small_plan(), ["chaoskit", "run", "my scenario.yaml", "--seed", "7"], tmp_path)
    assert provenance["command"] == "chaoskit run 'my scenario.yaml' --seed 7"
    assert provenance["seed"] == 7
    assert provenance["packages"]["locust"]
    assert provenance["host"]["memory_bytes"] > 0
    assert provenance["git"] is None
    json.dumps(provenance)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--password", "hunter2"], ["--password", "***"]),
        (["--password=hunter2"], ["--password=***"]),
        (["--set", "gateway.api_key=abc"], ["--set", "gateway.api_key=***"]),
        (["--toxiproxy", "http://me:pw@10.0.0.1:8474"], ["--toxiproxy", "http://***@10.0.0.1:8474"]),
        (["--seed", "7", "a=b"], ["--seed", "7", "a=b"]),
    ],
)
def test_secrets_are_hidden(arguments: list[str], shown: list[str]) -> None:
    assert redact(["run", *arguments]) == ["run", *shown]


def test_git_state_tells_clean_from_dirty(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("commit", "-qm", "first")
    clean = git_state(tmp_path)
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "file").write_text("b")
    dirty = git_state(tmp_path)
    assert dirty is not None
    assert dirty["dirty"] is True
