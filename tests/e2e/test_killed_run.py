"""A runner that is killed in the middle of the surge: what it saved is worth a report, what it left can be removed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaoskit.environment.labels import find_labelled
from chaoskit.store import RunFolder, find

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
SURGE_DEADLINE_S = 90.0
TRIES = 3
INCONCLUSIVE = 3


def chaoskit(*arguments: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-m", "chaoskit", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def wait_for_surge(reports: Path, runner: subprocess.Popen[bytes]) -> RunFolder | None:
    """Return the run once its surge has begun on disk; None where its gate stayed shut, on a machine that is busy."""
    deadline_s = time.monotonic() + SURGE_DEADLINE_S
    while time.monotonic() < deadline_s and runner.poll() is None:
        if (reports / "latest" / "records.jsonl").exists():
            run = find(reports)
            if any(event.phase == "surge" for event in run.history().history.phases):
                return run
        time.sleep(0.2)  # another process writes the file: there is nothing to await
    if runner.poll() == INCONCLUSIVE:
        return None
    pytest.fail(f"the surge did not begin; the runner ended with {runner.poll()}")


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[RunFolder]:
    """A run of the smoke scenario whose runner got SIGKILL once the surge had begun."""
    for attempt in range(TRIES):
        reports = tmp_path / f"reports-{attempt}"
        runner = subprocess.Popen(
            [sys.executable, "-m", "chaoskit", "run", "smoke", "--reports", str(reports)],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            run = wait_for_surge(reports, runner)
        finally:
            runner.kill()
            runner.wait()
        if run is not None:
            break
    assert run is not None, "the gate stayed shut three times"
    yield run
    chaoskit("clean", temporary=tmp_path)


def processes_of(run: RunFolder) -> set[int]:
    return {found.process.pid for found in find_labelled() if found.label.run_id == run.run_id}


def listening() -> dict[int, int | None]:
    """Which process listens on which TCP port."""
    connections = psutil.net_connections(kind="tcp")
    return {one.laddr.port: one.pid for one in connections if one.laddr and one.status == psutil.CONN_LISTEN}


def test_clean_leaves_no_process_port_or_file_and_report_renders_what_was_saved(
    killed: RunFolder, tmp_path: Path
) -> None:
    left = processes_of(killed)
    ports = listening()
    held = {port for port, process_id in ports.items() if process_id in left}
    assert len(held) >= 5  # of the gateway, the engine, the database, their metrics, and the proxies
    assert (tmp_path / f"chaoskit-{killed.run_id}").is_dir()

    cleaned = chaoskit("clean", temporary=tmp_path)
    assert cleaned.returncode == 0, cleaned.stderr
    assert processes_of(killed) == set()
    assert not (tmp_path / f"chaoskit-{killed.run_id}").exists()
    assert held.isdisjoint(listening())

    reported = chaoskit("report", "latest", "--reports", str(killed.path.parent), temporary=tmp_path)
    assert reported.returncode == 0, reported.stderr
    page = (killed.path / "report.html").read_text(encoding="utf-8")
    assert "surge" in page
    assert killed.history().history.resources
