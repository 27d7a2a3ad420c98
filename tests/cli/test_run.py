"""`chaoskit run` and what follows a run: verdict, pages, kill -9."""

import contextlib
import json
import shutil
import socket
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from chaoskit.cli.run import WEB_PORT
from chaoskit.environment.labels import find_labelled
from chaoskit.environment.workspace import FOLDER_PREFIX, temporary_folder
from chaoskit.store import saved_runs
from tests.cli.conftest import Call, Start, until_line
from tests.support.shop_plan import DAY

# What is judged here are exit codes and pages, and not how busy the machine is that plays.
PATIENT = DAY.replace("80%", "100%") + "generator: {max_lag: 2s}\n"
FAULT = "faults: [{latency: {link: client->api, delay: 30ms}, during: surge, at: 0s, for: 2s}]\n"


def left_of(run_id: str) -> list[str]:
    return [str(found) for found in find_labelled() if found.label.run_id == run_id]


def test_a_run_exits_with_its_verdict_and_is_analysed_and_reported_again(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT + "objectives: [buying rate > 100000/s in surge]\n")
    said = chaoskit("run", "day.yaml")
    assert said.returncode == 1, said.stderr
    assert said.stdout.startswith("FAIL")
    (run,) = saved_runs(tmp_path / "reports")
    pages = {name: (run.path / name).read_bytes() for name in ("result.json", "junit.xml", "summary.md", "report.html")}
    assert f"report: {Path('reports') / run.name / 'report.html'}" in said.stdout
    for name in pages:
        (run.path / name).unlink()
    assert chaoskit("analyze").returncode == 1
    assert {name: (run.path / name).read_bytes() for name in pages} == pages
    for name in pages:
        (run.path / name).unlink()
    assert chaoskit("report").returncode == 0
    assert {name: (run.path / name).read_bytes() for name in pages} == pages
    assert json.loads(pages["result.json"])["verdict"] == "fail"
    assert left_of(run.run_id) == []


def test_without_gate_a_failed_run_exits_0(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT + "objectives: [buying rate > 100000/s in surge]\n")
    said = chaoskit("run", "day.yaml", "--no-gate")
    assert (said.returncode, said.stdout.split()[0]) == (0, "FAIL")


def test_the_command_line_says_how_many_processes_make_the_load(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT + "objectives: [buying rate > 1/s in surge]\n")
    chaoskit("run", "day.yaml", "--workers", "2")
    (run,) = saved_runs(tmp_path / "reports")
    history = run.history().history
    assert {batch.worker for batch in history.samples} == {0, 1}
    assert chaoskit("run", "day.yaml", "--workers", "0").returncode == 2


def test_locusts_page_goes_elsewhere_where_its_port_is_taken_and_says_where(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT + "objectives: [buying rate > 1/s in surge]\n")
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody else has it: as well
            holder.bind(("127.0.0.1", WEB_PORT))
            holder.listen()
        said = chaoskit("run", "day.yaml", "--web", "--no-gate")
    assert said.returncode == 0, said.stderr
    assert "Locust's page is http://127.0.0.1:" in said.stderr
    assert f"http://127.0.0.1:{WEB_PORT}" not in said.stderr


def test_a_port_of_locusts_page_that_is_taken_is_told(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = chaoskit("run", "day.yaml", "--web-port", str(port))
    assert said.returncode == 5
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use; choose another" in said.stderr


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
    with (run.path / "records.jsonl").open("a") as records:
        records.write('{"torn')
    for command in ("report", "analyze"):
        said = chaoskit(command, run.run_id)
        assert said.returncode == (0 if command == "report" else 3)
        assert "left out of the records: 1 torn line\n" in said.stderr
    assert (run.path / "report.html").stat().st_size > 100_000


IDLE = """\
import locust


class Idle(locust.User):
    wait_time = locust.constant(1)

    @locust.task
    def nothing(self):
        \"\"\"Ask for nothing.\"\"\"
"""
SHORT = DAY.replace("recovery: {for: 2s}", "recovery: {for: 1s}").replace("baseline: {for: 4s}", "baseline: {for: 3s}")
UNSTEADY = ("--set", "api.tills=1", "--set", "api.service_time=15ms")


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        pytest.param(DAY.replace("80%", "25%"), UNSTEADY, "was not steady", id="unsteady baseline"),
        pytest.param(
            SHORT.replace("load:\n", "load:\n  idling: {locustfile: idle.py, users: 1}\n"),
            (),
            "idling was not steady: no successful answer",
            id="a stream without samples",
        ),
        pytest.param(
            SHORT.replace("80%", "100%") + "generator: {max_lag: 2s}\n" + FAULT.replace("30ms", "30ms, toxicity: 1%"),
            (),
            "had no effect",
            id="a fault without effect",
        ),
        pytest.param(SHORT + "generator: {max_lag: 1us}\n", (), "The load generator sent", id="a late generator"),
    ],
)
def test_a_run_that_proves_nothing_exits_3_and_says_why(
    chaoskit: Call, tmp_path: Path, text: str, arguments: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "day.yaml").write_text(text)
    (tmp_path / "idle.py").write_text(IDLE)
    said = chaoskit("run", "day.yaml", *arguments)
    assert (said.returncode, said.stdout.split()[0]) == (3, "INCONCLUSIVE"), said.stdout + said.stderr
    assert reason in said.stdout


def test_a_freeze_shows_in_response_and_not_in_service(chaoskit: Call, tmp_path: Path) -> None:
    (tmp_path / "day.yaml").write_text(PATIENT)
    assert chaoskit("run", "day.yaml", "--no-gate", "--set", "api.freeze_after=4.5s").returncode == 0
    (run,) = saved_runs(tmp_path / "reports")
    surge = json.loads((run.path / "result.json").read_bytes())["streams"]["buying"]["surge"]
    assert 0.7 < surge["response_s"]["p99"] < 1.3, surge
    assert surge["service_s"]["p50"] < 0.05, surge


def test_a_failed_set_up_exits_5_and_is_reported_to_ci_all_the_same(chaoskit: Call, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (tmp_path / "day.yaml").write_text(
        f"{{version: 1, name: away, target: {{external: {{api: 'http://127.0.0.1:{port}'}}}},"
        " phases: [{one: {for: 1s}}], load: {quotes: {request: {path: /}, rate: 1/s}}, objectives: [errors < 1%]}"
    )
    said = chaoskit("run", "day.yaml")
    assert said.returncode == 5
    assert "looking whether external can be reached" in said.stderr
    assert "is running already" not in said.stderr
    assert "stopping the target" not in said.stderr
    assert said.stderr.splitlines()[-1].startswith("set-up failed: ")
    (run,) = saved_runs(tmp_path / "reports")
    assert f"report: {Path('reports') / run.name / 'report.html'}" in said.stdout
    for name in ("junit.xml", "summary.md", "result.json", "report.html"):
        assert "set-up failed" in (run.path / name).read_text().lower()
    junit = ET.fromstring((run.path / "junit.xml").read_text())
    errors = {case.get("name") for case in junit.iter("testcase") if case.find("error") is not None}
    assert "set-up" in errors
    assert chaoskit("report").returncode == 0


def test_all_variants_are_played_and_compared_and_the_gravest_is_the_exit_code(chaoskit: Call, tmp_path: Path) -> None:
    variants = "variants:\n  impossible: {objectives: [buying rate > 100000/s in surge]}\n"
    (tmp_path / "day.yaml").write_text(PATIENT + variants)
    said = chaoskit("run", "day.yaml", "--variant", "all")
    assert said.returncode == 1, said.stderr
    runs = saved_runs(tmp_path / "reports")
    assert [run.plan().variant for run in runs] == [None, "impossible"]
    assert [run.provenance().get("variant") for run in runs] == [None, "impossible"]
    assert "[impossible]" in (runs[1].path / "junit.xml").read_text()
    (compared,) = (tmp_path / "reports").glob("*-variants-*/result.json")
    document = json.loads(compared.read_bytes())
    assert [run["run"] for run in document["runs"]] == [run.name for run in runs]
    assert document["verdict"] == "fail"
    assert (compared.parent / "report.html").is_file()
    assert f"comparison: {Path('reports') / compared.parent.name / 'report.html'}" in said.stdout
    assert chaoskit("run", "day.yaml", "--variant", "imposible").returncode == 2
    page = (compared.parent / "report.html").read_bytes()
    (compared.parent / "report.html").unlink()
    (compared.parent / "summary.md").unlink()
    shutil.rmtree(runs[1].path)  # what is gone stays as it was told
    again = chaoskit("report", compared.parent.name[:-3])
    assert again.returncode == 0, again.stderr
    assert f"comparison: {Path('reports') / compared.parent.name / 'report.html'}" in again.stdout
    assert (compared.parent / "report.html").read_bytes() == page
    assert "impossible" in (compared.parent / "summary.md").read_text()
