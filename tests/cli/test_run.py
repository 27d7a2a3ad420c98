"""`chaoskit run` and what follows a run: verdict, pages, kill -9."""

import json
from pathlib import Path

from chaoskit.environment.labels import find_labelled
from chaoskit.environment.workspace import FOLDER_PREFIX, temporary_folder
from chaoskit.store import saved_runs
from tests.cli.conftest import Call, Start, until_line
from tests.support.shop_plan import DAY

FAULT = "faults: [{latency: {link: client->api, delay: 30ms}, during: surge, at: 0s, for: 2s}]\n"


def left_of(run_id: str) -> list[str]:
    return [str(found) for found in find_labelled() if found.label.run_id == run_id]


def test_a_run_exits_with_its_verdict_and_is_analysed_and_reported_again(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(DAY + "objectives: [buying rate > 100000/s in surge]\n")
    said = chaoskit("run", "day.yaml")
    assert said.returncode == 1, said.stderr
    assert said.stdout.startswith("FAIL")
    (run,) = saved_runs(tmp_path / "reports")
    pages = {name: (run.path / name).read_bytes() for name in ("result.json", "junit.xml", "summary.md", "report.html")}
    assert f"report: {Path('reports') / run.name / 'report.html'}" in said.stdout
    for name in pages:
        (run.path / name).unlink()
    assert chaoskit("analyze").returncode == 1
    assert chaoskit("report").returncode == 0
    assert {name: (run.path / name).read_bytes() for name in pages} == pages
    assert json.loads(pages["result.json"])["verdict"] == "fail"
    assert left_of(run.run_id) == []


def test_without_gate_a_failed_run_exits_0(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(DAY + "objectives: [buying rate > 100000/s in surge]\n")
    said = chaoskit("run", "day.yaml", "--no-gate")
    assert (said.returncode, said.stdout.split()[0]) == (0, "FAIL")


def test_after_kill_9_clean_leaves_nothing_and_report_still_renders(
    started: Start, chaoskit: Call, tmp_path: Path
) -> None:
    (tmp_path / "day.yaml").write_text(DAY + FAULT)
    running = started("run", "day.yaml")
    until_line(running, "surge")
    running.kill()
    running.communicate(timeout=60)
    (run,) = saved_runs(tmp_path / "reports")
    assert chaoskit("clean").returncode == 0
    assert left_of(run.run_id) == []
    assert list(temporary_folder().glob(f"{FOLDER_PREFIX}{run.run_id}*")) == []
    assert chaoskit("report", run.run_id).returncode == 0
    assert (run.path / "report.html").stat().st_size > 100_000
