"""The layers of the package, and what an import must not do."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ["chaoskit.cli", "chaoskit.cli.playing", "chaoskit.cli.staying", "chaoskit.report", "chaoskit.load"]
HEAVY = ("numpy", "pydantic", "httpx", "requests", "psutil", "altair")


def test_imports_run_strictly_downward() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", MODULES)
def test_importing_does_not_patch_the_process_nor_pull_in_locust(module: str) -> None:
    program = (
        f"import signal, sys; before = {{s: signal.getsignal(s) for s in signal.valid_signals()}}; import {module}; "
        "assert {s: signal.getsignal(s) for s in signal.valid_signals()} == before, 'signal handlers changed'; "
        "found = [name for name in ('locust', 'gevent') if name in sys.modules]; assert not found, found"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_the_command_line_starts_without_what_only_its_commands_need() -> None:
    program = f"import sys, chaoskit.cli; found = set({HEAVY!r}) & set(sys.modules); assert not found, found"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_targets_and_toolkit_do_not_import_each_other() -> None:
    offenders = [
        path.relative_to(ROOT)
        for path in (ROOT / "targets").rglob("*.py")
        if any(line.startswith(("import chaoskit", "from chaoskit")) for line in path.read_text().splitlines())
    ]
    assert offenders == []


def test_the_toolkit_knows_no_target_by_name() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "chaoskit").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "import exchange" in line or "from exchange" in line or '"exchange"' in line or '"sequencer"' in line
    ]
    assert offenders == []
