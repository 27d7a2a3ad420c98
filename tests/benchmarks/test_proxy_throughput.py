"""Small keep-alive requests a second, wrk → proxy → nginx: embedded server against real one, in one run.

On a busy machine requests a second say little; CPU time for each request, printed beside them, says more.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil
import pytest

from tests.support.nginx import need, nginx
from tests.support.quiet import need_quiet
from tests.support.toxiproxy import ToxiproxyServer, running

ROUNDS = 5
SECONDS = 2
CONNECTIONS = 32
WRK_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")

pytestmark = [pytest.mark.benchmark, pytest.mark.toxiproxy, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Round:
    """One round of load through one proxy."""

    requests_per_s: float
    cpu_us_per_request: float


def requests_per_s(port: int) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS + 20)
    rate = WRK_RATE.search(done.stdout)
    assert rate
    assert "Socket errors" not in done.stdout, done.stdout
    assert "Non-2xx" not in done.stdout, done.stdout
    return float(rate[1])


def cpu_s(server: ToxiproxyServer) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return times.user + times.system


def play(server: ToxiproxyServer, port: int) -> Round:
    before_s = cpu_s(server)
    rate = requests_per_s(port)
    return Round(rate, (cpu_s(server) - before_s) / (rate * SECONDS) * 1e6)


def test_requests_per_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("wrk", "nginx")
    need_quiet()
    with nginx(tmp_path) as upstream, running("embedded") as embedded, running("real") as real:
        ports = {
            server: int(server.create("web", upstream)["listen"].rpartition(":")[2]) for server in (real, embedded)
        }
        requests_per_s(ports[embedded])  # both warm
        requests_per_s(ports[real])
        # In turns, so that a busy moment of the machine falls on both alike.
        rounds = [{server.kind: play(server, port) for server, port in ports.items()} for _ in range(ROUNDS)]
    with capsys.disabled():
        print(f"\n{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, load {os.getloadavg()[0]:.1f}")  # noqa: T201
        for kind in ("real", "embedded"):
            rates = [one[kind].requests_per_s for one in rounds]
            cpu = median(one[kind].cpu_us_per_request for one in rounds)
            each = " ".join(f"{rate:7,.0f}" for rate in rates)
            print(f"{kind:>9} {each}  median {median(rates):7,.0f} requests/s, {cpu:5.1f} µs CPU each")  # noqa: T201
    ratio = median(one["embedded"].requests_per_s / one["real"].requests_per_s for one in rounds)
    assert ratio >= 1, f"the embedded server carries {ratio:.2f} of what the real one does"
