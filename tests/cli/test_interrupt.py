"""Ctrl-C, SIGTERM and a terminal that goes away, at every stage of `run` and `up`; and a reader that goes away."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path

import pytest

from chaoskit.environment.labels import find_labelled
from chaoskit.store import saved_runs
from tests.cli.conftest import Call, Start, command, environment, until_line
from tests.support.shop_plan import DAY, SHOP

FAULT = "faults: [{latency: {link: client->api, delay: 30ms}, during: surge, at: 0s, for: 2s}]\n"


@pytest.fixture
def day(tmp_path: Path) -> str:
    (tmp_path / "day.yaml").write_text(DAY + FAULT)
    return "day.yaml"


def assert_reported_and_gone(folder: Path) -> None:
    (run,) = saved_runs(folder / "reports")
    assert (run.path / "report.html").is_file()
    assert [str(found) for found in find_labelled() if found.label.run_id == run.run_id] == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "from the keyboard"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGHUP, "SIGHUP"),
    ],
)
def test_a_signal_winds_a_run_down_and_reports_it(
    started: Start, tmp_path: Path, day: str, number: signal.Signals, said: str
) -> None:
    running = started("run", day)
    until_line(running, "surge")
    running.send_signal(number)
    printed, _ = running.communicate(timeout=60)
    assert running.returncode == 4
    assert printed.startswith("ABORTED")
    assert said in printed
    assert_reported_and_gone(tmp_path)


def test_a_second_ctrl_c_ends_at_once_and_says_what_is_kept(
    started: Start, chaoskit: Call, tmp_path: Path, day: str
) -> None:
    running = started("run", day)
    until_line(running, "surge")
    running.send_signal(signal.SIGINT)
    until_line(running, "winding down")
    running.send_signal(signal.SIGINT)
    _, complaints = running.communicate(timeout=60)
    (run,) = saved_runs(tmp_path / "reports")
    assert running.returncode == 4
    (kept,) = [line for line in complaints.splitlines() if line.startswith("interrupted: ")]
    assert run.name in kept
    assert "chaoskit report latest` makes their report" in kept
    assert [str(found) for found in find_labelled() if found.label.run_id == run.run_id] == []
    assert chaoskit("report", "latest").returncode == 0
    assert (run.path / "report.html").is_file()


def test_ctrl_c_during_bring_up_is_reported_at_once(started: Start, tmp_path: Path, day: str) -> None:
    running = started("run", day)
    until_line(running, "starting shop")
    running.send_signal(signal.SIGINT)
    printed, complaints = running.communicate(timeout=60)
    assert running.returncode == 4
    assert printed.startswith("ABORTED")
    assert "playing" not in complaints
    assert_reported_and_gone(tmp_path)


def test_a_terminal_that_goes_away_ends_a_run_in_order(tmp_path: Path, day: str) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        command("run", day),
        cwd=tmp_path,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - there are no threads here
    )
    os.close(theirs)
    said = b""
    while b"playing" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    assert running.wait(timeout=60) == 4
    assert_reported_and_gone(tmp_path)


@pytest.mark.parametrize("step", ["starting the fault proxy", "starting shop"])
def test_up_ends_quietly_during_bring_up(started: Start, step: str) -> None:
    running = started("up", str(SHOP))
    until_line(running, step)
    running.send_signal(signal.SIGINT)
    _, complaints = running.communicate(timeout=30)
    assert running.returncode == 0
    assert "Traceback" not in complaints
    assert "error" not in complaints


@pytest.mark.parametrize("arguments", [["list"], ["schema"], ["plan", "smoke"], ["plan", "smoke", "--json"]])
def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    said = subprocess.run(
        command(*arguments),
        check=False,
        cwd=tmp_path,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (said.returncode, said.stderr) == (0, "")


VARIANTS = "variants:\n  longer: {title: Longer}\n  never: {title: Never played}\n"


def test_a_second_ctrl_c_in_a_variant_loses_no_run_that_was_whole_before_it(
    started: Start, chaoskit: Call, tmp_path: Path, day: str
) -> None:
    with (tmp_path / day).open("a") as file:
        file.write(VARIANTS)
    running = started("run", day, "--variant", "all")
    until_line(running, "longer (2 of 3)")
    until_line(running, "surge")
    running.send_signal(signal.SIGINT)
    until_line(running, "winding down")
    running.send_signal(signal.SIGINT)
    printed, complaints = running.communicate(timeout=60)
    assert running.returncode == 4, complaints
    (compared,) = (tmp_path / "reports").glob("*-variants-*/result.json")
    document = json.loads(compared.read_bytes())
    first, second = saved_runs(tmp_path / "reports")
    assert [run["run"] for run in document["runs"]] == [first.name]
    assert document["not_played"] == ["longer", "never"]
    assert f"comparison: {Path('reports') / compared.parent.name / 'report.html'}" in printed
    assert any(second.name in line for line in complaints.splitlines() if line.startswith("interrupted: "))
    assert [str(found) for found in find_labelled() if found.label.run_id in {first.run_id, second.run_id}] == []
    assert chaoskit("report", "latest").returncode == 0
    assert (second.path / "report.html").is_file()


def test_ctrl_c_at_the_end_of_a_variant_leaves_out_the_rest(started: Start, tmp_path: Path, day: str) -> None:
    with (tmp_path / day).open("a") as file:
        file.write(VARIANTS)
    running = started("run", day, "--variant", "all")
    until_line(running, "analysing")
    running.send_signal(signal.SIGINT)
    printed, complaints = running.communicate(timeout=60)
    assert running.returncode == 4, printed + complaints
    assert "Traceback" not in complaints
    (run,) = saved_runs(tmp_path / "reports")
    (compared,) = (tmp_path / "reports").glob("*-variants-*/result.json")
    document = json.loads(compared.read_bytes())
    assert ([one["run"] for one in document["runs"]], document["not_played"]) == ([run.name], ["longer", "never"])
