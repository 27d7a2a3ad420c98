"""Help, exit codes and errors of the command line."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from chaoskit.cli.main import app
from tests.cli.conftest import ROOT, Call, command, environment

README = (ROOT / "README.md").read_text()


def commands() -> Iterator[str]:
    yield from typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group


def test_help_lists_every_command(chaoskit: Call) -> None:
    said = chaoskit("--help")
    assert said.returncode == 0
    assert [name for name in commands() if f" {name} " not in said.stdout] == []


@pytest.mark.parametrize("name", list(commands()))
def test_every_command_has_help_and_stands_in_the_readme(chaoskit: Call, name: str) -> None:
    said = chaoskit(name, "--help")
    assert said.returncode == 0
    assert "Usage: " in said.stdout
    assert f"chaoskit {name}" in README


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["run"], "Missing argument 'scenario'"),
        (["run", "no-such-scenario"], "there is no scenario 'no-such-scenario'"),
        (["run", "no/such/file.yaml"], "there is no file no/such/file.yaml"),
        (["validate", "smoke", "--set", "gateway.db_pol=3"], "did you mean"),
        (["validate", "smoke", "--set", "nonsense"], "is not COMPONENT.SETTING=VALUE"),
        (["run", "smoke", "--seed", "x"], "Invalid value for '--seed'"),
        (["up", "no-such-target"], "there is no target 'no-such-target'"),
        (["report", "latest"], "there is no run in reports yet"),
        (["analyze", "nothing"], "no run 'nothing' in reports"),
        (["proxy", "--config", "absent.json"], "absent.json"),
        (["run"], "`chaoskit run --help` shows how"),
        (["no-such-command"], "`chaoskit --help` lists the commands"),
        (["init", "/proc/x"], "cannot write /proc/x: No such file or directory; name a place that you may write"),
        (["run", "smoke", "--reports", "/proc/x"], "choose another with --reports"),
        (["validate", "a" * 5000], f"there is no scenario '{'a' * 200}…'"),
        (["validate", "a" * 5000 + ".yaml"], f"there is no file {'a' * 200}…; check the path"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_2(chaoskit: Call, arguments: list[str], sentence: str) -> None:
    said = chaoskit(*arguments)
    assert said.returncode == 2
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("command", ["report", "analyze"])
def test_a_damaged_run_is_told_in_a_sentence(chaoskit: Call, tmp_path: Path, command: str) -> None:
    run = tmp_path / "reports" / "small-20260101T000000Z-abcdef"
    run.mkdir(parents=True)
    (run / "plan.json").write_text("{")
    said = chaoskit(command, run.name)
    assert said.returncode == 2
    assert "plan.json is not a plan" in said.stderr
    assert "bug" not in said.stderr


def test_a_full_disk_is_no_bug(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        said = subprocess.run(
            command("schema"),
            check=False,
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert said.returncode == 2
    assert "the system refuses: No space left on device" in said.stderr
    assert "bug" not in said.stderr


def test_all_problems_of_a_file_are_listed_at_once(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\nname: bad\ntarget: {use: exchnge}\nload: {}\nphases: []\nwhat: 1\n")
    said = chaoskit("validate", "bad.yaml")
    assert said.returncode == 2
    lines = [line for line in said.stderr.splitlines() if "bad.yaml:" in line]
    assert len(lines) >= 4
    assert any("did you mean" in line for line in lines)
