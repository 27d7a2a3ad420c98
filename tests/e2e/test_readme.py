"""The README's examples of a user's own system, played as they stand there, but for ports and times."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chaoskit.store import find
from tests.environment.compose.conftest import base_image
from tests.support.sockets import await_listener, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
BAZAAR = ROOT / "tests" / "support" / "bazaar"
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"^ *```(?:yaml)?\n(.*?)^ *```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
]
LOCUSTFILE = """\
from locust import HttpUser, TaskSet, constant, events, task


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--shelf", default="/shelf", env_var="SHELF")


@events.test_start.add_listener
def say_hello(environment, **_):
    print("against", environment.host, flush=True)


@events.request.add_listener
def count(name, **_):
    counted[name] = counted.get(name, 0) + 1


counted = {}


class Browsing(TaskSet):
    wait_time = constant(0.05)

    @task(3)
    def look(self):
        self.client.get(self.user.environment.parsed_options.shelf, name="look")
        assert counted["look"] >= 1

    @task
    def leave(self):
        self.interrupt()


class Shopper(HttpUser):
    host = "http://www.example.com"
    wait_time = constant(0.1)
    tasks = {Browsing: 1}

    def on_start(self):
        self.client.get("/hello", name="hello")
"""


def block(word: str) -> str:
    (found,) = [text for text in BLOCKS if word in text]
    return found


def shorter(text: str) -> str:
    """Return a scenario of the README in little time, and patient with a machine that does much else."""
    for long, short in (
        ("for: 20s", "for: 7s"),
        ("for: 15s", "for: 4s"),
        ("for: 10s}", "for: 4s}"),
        ("multiply: 5", "multiply: 2"),
    ):
        text = text.replace(long, short)
    text = re.sub(r"    at: \ds\n    for: \d+s", "    at: 1s\n    for: 4s", text)
    return text.replace("{quotes: 50, shoppers: 10}", "{quotes: 2, shoppers: 2}") + "steady_tolerance: 100%\n"


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200", **variables}
    command = [sys.executable, "-m", "chaoskit", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def result_of(folder: Path) -> Mapping[str, Any]:
    result: Mapping[str, Any] = json.loads((find(folder / "reports").path / "result.json").read_bytes())
    return result


def effects(result: Mapping[str, Any]) -> list[tuple[str, bool]]:
    return [(receipt["place"], receipt["effective"]) for fault in result["faults"] for receipt in fault["receipts"]]


@contextmanager
def program(*arguments: str, port: int) -> Iterator[None]:
    with subprocess.Popen([sys.executable, *arguments, "--port", str(port)]) as process:
        try:
            await_listener(port)
            yield
        finally:
            process.kill()


@pytest.mark.docker
def test_in_containers_the_cpu_that_was_given_out_is_what_runs_out(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "chaoskit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m chaoskit "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        ["bash", "-c", block("cd shop")], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    result = result_of(tmp_path / "shop")
    assert result["bottlenecks"][0]["resource"] == "exchange/gateway.cpu", said.stdout + said.stderr
    assert said.stdout.splitlines()[-1].startswith("CONTAINER ID"), "containers are left"


@pytest.mark.docker
def test_a_compose_file_is_drafted_and_played(tmp_path: Path) -> None:
    shutil.copytree(BAZAAR, tmp_path, dirs_exist_ok=True)
    (tmp_path / "target.yaml").unlink()
    commands = [line.partition("#")[0].split()[1:] for line in block("--from-compose docker").strip().splitlines()]
    drafted = run(tmp_path, *commands[0], BASE=base_image())
    assert drafted.returncode == 0, drafted.stderr
    day = tmp_path / "first-day.yaml"
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    shoppers = "load:\n  shoppers: {locustfile: locustfile.py, users: 3}\n"
    day.write_text(shorter(day.read_text()).replace("load:\n", shoppers))
    (tmp_path / "target.yaml").write_text(block("# target.yaml"))
    said = run(tmp_path, *commands[1], "--no-gate", BASE=base_image())
    assert said.returncode == 0, said.stdout + said.stderr
    result = result_of(tmp_path)
    assert effects(result) == [("front->store", True)]
    for stream in ("requests", "shoppers"):
        assert result["streams"][stream]["baseline"]["ok"] > 0, said.stdout


def test_a_running_system_and_a_locustfile_of_its_own(tmp_path: Path) -> None:
    store, front = free_port(), free_port()
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    (tmp_path / "day.yaml").write_text(shorter(block("name: my-api\n")).replace("8080", str(front)))
    with (
        program(str(BAZAAR / "store.py"), port=store),
        program(str(BAZAAR / "front.py"), "--store", f"http://127.0.0.1:{store}", port=front),
    ):
        said = run(tmp_path, "run", "day.yaml", "--no-gate", SHELF="/other")
    assert said.returncode == 0, said.stdout + said.stderr
    streams = result_of(tmp_path)["streams"]
    assert streams["shoppers"]["surge"]["ok"] > streams["shoppers"]["baseline"]["ok"] > 20
    report = find(tmp_path / "reports").path / "report.html"
    assert "closed model, 5 users" in report.read_text()
    assert "against http://127.0.0.1:" in (report.parent / "logs" / "load-0.log").read_text()


def test_what_a_running_system_calls_can_have_faults(tmp_path: Path) -> None:
    store, front, proxy = free_port(), free_port(), free_port()
    text = shorter(block("name: my-api-and-its-database")).replace("protocol: postgres", "protocol: http")
    for old, new in (("8080", front), ("15432", proxy), ("5432", store)):
        text = text.replace(f":{old}", f":{new}")
    (tmp_path / "day.yaml").write_text(text)
    with (
        program(str(BAZAAR / "store.py"), port=store),
        program(str(BAZAAR / "front.py"), "--store", f"http://127.0.0.1:{proxy}", port=front),
    ):
        said = run(tmp_path, "run", "day.yaml", "--no-gate")
    assert said.returncode == 0, said.stdout + said.stderr
    result = result_of(tmp_path)
    assert effects(result) == [("system->database", True)], result["faults"]
    assert result["streams"]["quotes"]["baseline"]["ok"] > 0
