"""Other load generators, each run as its own users would run it, on one core, and what each run cost.

Programs are found on PATH. One that is missing is left out of the tables, and the tables say so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PROGRAMS = ("wrk", "k6", "vegeta")
CLIENTS = Path(__file__).parent / "load_clients.py"
_K6 = """
import http from 'k6/http';
export const options = {discardResponseBodies: true, summaryTrendStats: ['p(99)'], scenarios: %s};
export default function () { http.get('%s'); }
export function handleSummary(data) { return {'%s': JSON.stringify(data.metrics)}; }
"""


@dataclass(frozen=True)
class Cost:
    """What a run did and what it took. `lag_ms` are p50 and p99 of sent - intended, where the tool tells."""

    requests: float
    failed: float
    seconds: float
    cpu_s: float
    rss_mb: float
    lag_ms: tuple[float, float] | None = None
    p99_ms: float | None = None

    @property
    def per_core(self) -> float:
        return self.requests / self.cpu_s


class _Usage(NamedTuple):
    cpu_s: float
    rss_mb: float


def missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def ours(kind: str, port: int, connections: int, seconds: float, *more: object) -> Cost:
    """The lean client, or Locust's: CPU time while it plays, without the start of Python."""
    command = [sys.executable, str(CLIENTS), kind, str(port), str(connections), str(seconds), *map(str, more)]
    environment = {**os.environ, "PYTHONPATH": "."}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=seconds + 60)
    said = json.loads(done.stdout)
    lag_ms = (said["lag_p50_ms"], said["lag_p99_ms"]) if kind == "open" else None
    p99_ms = said.get("p99_ms")
    return Cost(said["requests"], said["failed"], said["seconds"], said["cpu_s"], said["rss_mb"], lag_ms, p99_ms)


def wrk(port: int, connections: int, seconds: float) -> Cost:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout=30s", "--latency", _url(port)]
    said, usage = _run(command, seconds)
    found = re.search(r"(\d+) requests in", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    assert found is not None, said
    assert p99 is not None, said
    assert "Non-2xx" not in said, said
    p99_ms = float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]]
    return Cost(float(found[1]), 0, seconds, usage.cpu_s, usage.rss_mb, p99_ms=p99_ms)


def k6(port: int, seconds: float, **scenarios: dict[str, object]) -> Cost:
    """Run the k6 scenarios given by name."""
    with tempfile.TemporaryDirectory() as folder:
        script, summary = Path(folder) / "script.js", Path(folder) / "summary.json"
        script.write_text(_K6 % (json.dumps(scenarios), _url(port), summary))
        _, usage = _run(["k6", "run", "--quiet", "--no-usage-report", "--address=", str(script)], seconds)
        metrics: dict[str, Any] = json.loads(summary.read_text())
    requests = metrics["http_reqs"]["values"]["count"]
    failed = metrics["http_req_failed"]["values"]["passes"]
    dropped = metrics.get("dropped_iterations", {"values": {"count": 0}})["values"]["count"]
    p99_ms = metrics["http_req_duration"]["values"]["p(99)"]
    return Cost(requests - failed, failed + dropped, seconds, usage.cpu_s, usage.rss_mb, p99_ms=p99_ms)


def vegeta(port: int, seconds: float, rate_rps: int, *, workers: int | None = None) -> Cost:
    """Attack at `rate_rps`; 0 is as fast as `workers` can."""
    with tempfile.TemporaryDirectory() as folder:
        targets, results = Path(folder) / "targets", Path(folder) / "results"
        targets.write_text(f"GET {_url(port)}\n")
        command = ["vegeta", "attack", f"-rate={rate_rps}", f"-duration={seconds}s", f"-targets={targets}"]
        command += [f"-output={results}", *([f"-max-workers={workers}"] if workers else [])]
        _, usage = _run(command, seconds)
        encoded = subprocess.run(
            ["vegeta", "encode", "-to=csv", str(results)], check=True, capture_output=True, text=True
        ).stdout.splitlines()
    rows = [line.split(",", 3) for line in encoded]  # wall ns, status, latency ns, …
    sent_ns = sorted(int(row[0]) for row in rows)
    taken_ns = sorted(int(row[2]) for row in rows)
    good = sum(row[1] == "200" for row in rows)
    lag_ms = None
    if rate_rps:
        late_ns = sorted(at - n * 1e9 / rate_rps for n, at in enumerate(sent_ns))
        late_ns = [each - late_ns[0] for each in late_ns]  # its start is not told: the least late was on time
        lag_ms = (late_ns[len(late_ns) // 2] / 1e6, late_ns[len(late_ns) * 99 // 100] / 1e6)
    p99_ms = taken_ns[len(taken_ns) * 99 // 100] / 1e6
    return Cost(good, len(rows) - good, seconds, usage.cpu_s, usage.rss_mb, lag_ms, p99_ms)


def at_rate(rate_rps: float, seconds: float, users: int, start_s: float = 0.0) -> dict[str, object]:
    """A k6 scenario of constant arrivals."""
    return {
        "executor": "constant-arrival-rate",
        "rate": rate_rps,
        "timeUnit": "1s",
        "duration": f"{seconds}s",
        "startTime": f"{start_s}s",
        "preAllocatedVUs": users,
    }


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def _run(command: list[str], seconds: float) -> tuple[str, _Usage]:
    """What a program printed, and what it used from start to end; one core: Go's tools would take all."""
    environment = {**os.environ, "GOMAXPROCS": "1"}
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        deadline_s = time.monotonic() + seconds + 60
        rss_mb = 0.0
        while True:
            rss_mb = max(rss_mb, _most_rss_mb(child.pid))
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline_s:
                child.kill()
            time.sleep(0.05)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    assert child.returncode == 0, f"{command[0]} ended with {child.returncode}: {text[-2000:]}"
    return text, _Usage(usage.ru_utime + usage.ru_stime, rss_mb)


def _most_rss_mb(pid: int) -> float:
    """The most that it ever had since it was loaded (`wait4` would count this process too, from before)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
