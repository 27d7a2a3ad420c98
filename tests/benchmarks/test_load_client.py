"""Requests per loader core: the lean client, Locust's two, and wrk, in one run against the same nginx.

python -m pytest -m benchmark tests/benchmarks/test_load_client.py
"""

import json
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from chaoskit.address import Address
from chaoskit.plan.arrivals import per_second, schedule
from chaoskit.records import Histogram
from tests.support.load_plan import get, plan_of, play_plan, stream_of

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("wrk")), reason="needs nginx and wrk"),
]
CONNECTIONS = 32
SECONDS = 5
OPEN_RATE = 15_000
LAG = ("lag_p50_ms", "lag_p99_ms", "lag_max_ms")
CLIENTS = Path(__file__).parent / "load_clients.py"
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "hello"; }} }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(folder=tmp_path, port=port))
    with subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(tmp_path / "error.log")]) as server:
        deadline_s = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline_s, (tmp_path / "error.log").read_text()
        yield port
        server.terminate()


def measure(kind: str, port: int, *more: object) -> dict[str, float]:
    command = [sys.executable, str(CLIENTS), kind, str(port), str(CONNECTIONS), str(SECONDS), *map(str, more)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONPATH": "."}, timeout=90)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_wrk(port: int) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"(\d+) requests in", said)
    assert found is not None, said
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"requests": float(found[1]), "failed": 0.0, "seconds": float(SECONDS), "cpu_s": cpu_s}


@pytest.mark.timeout(300)
def test_requests_per_loader_core(nginx: int, capsys: pytest.CaptureFixture[str]) -> None:
    measured = {
        "wrk": measure_wrk(nginx),
        "lean client, closed loop": measure("closed", nginx),
        f"lean client, open loop {OPEN_RATE}/s": measure("open", nginx, OPEN_RATE),
        "FastHttpUser": measure("fast", nginx),
        "HttpUser": measure("http", nginx),
    }
    per_core = {name: each["requests"] / each["cpu_s"] for name, each in measured.items()}
    with capsys.disabled():
        sys.stdout.write(f"\n{'client':32} {'requests/s':>12} {'per loader core':>16} {'lag p50/p99/max ms':>24}\n")
        for name, each in measured.items():
            rate_rps = each["requests"] / each["seconds"]
            lag = "/".join(f"{each[key]:.2f}" for key in LAG if "open" in name)
            sys.stdout.write(f"{name:32} {rate_rps:12,.0f} {per_core[name]:16,.0f} {lag:>24}\n")
    assert {name: each["failed"] for name, each in measured.items()} == dict.fromkeys(measured, 0)
    assert per_core["lean client, closed loop"] > 3 * per_core["FastHttpUser"] > 3 * per_core["HttpUser"]


async def test_a_step_of_a_hundredfold_is_on_time_in_each_second(
    nginx: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is sent at most 10 ms late changes the rate of a whole second by at most 1 %.

    Judged by the median second, because a busy machine holds up every process for some 30 ms now and then.
    """
    late_ratios = []
    plan = plan_of(stream_of(get("/"), (3, 30), (5, 3000)))
    history = await play_plan(tmp_path, plan, Address("127.0.0.1", nginx))
    planned = per_second(schedule(plan.streams[0]), plan.duration_s)
    with capsys.disabled():
        sys.stdout.write(f"\n{'second':>6} {'planned':>8} {'sent':>8} {'lag p50/p99/max ms':>24}\n")
        for second, expected in enumerate(planned):
            lag_us = Histogram.merged(batch.lag_us for batch in history.samples if batch.second == second)
            lags_us = (lag_us.quantile_us(0.5), lag_us.quantile_us(0.99), lag_us.max_us)
            lag = "/".join(f"{(value_us or 0) / 1e3:.2f}" for value_us in lags_us)
            sys.stdout.write(f"{second:6} {expected:8} {lag_us.count:8} {lag:>24}\n")
            assert lag_us.count == expected
            late_ratios.append(lag_us.share_above(10_000))
    assert median(late_ratios) <= 0.01
    cpu_s = history.generator[-1].cpu_s - next(each.cpu_s for each in history.generator if each.t_s > 3)
    with capsys.disabled():
        sys.stdout.write(f"the load process used {cpu_s / (history.generator[-1].t_s - 3):.0%} of a core at 3,000/s\n")
