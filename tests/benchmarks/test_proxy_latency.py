"""What a 40 ms latency toxic really adds, at p50 and p99: embedded server against real one, in one run."""

import os
import random
import time
from pathlib import Path

import pytest

from tests.support.nginx import need, nginx
from tests.support.quiet import need_quiet
from tests.support.sockets import connect
from tests.support.toxiproxy import ToxiproxyServer, running

LATENCY_MS = 40
REQUESTS = 400
P50_LIMIT_MS = 0.8
P99_LIMIT_MS = 1.0
REQUEST = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"

pytestmark = [pytest.mark.benchmark, pytest.mark.toxiproxy, pytest.mark.timeout(180)]


def times_ms(port: int, pause_ms: float) -> list[float]:
    """Sorted response times of single requests, each after a pause of 0.5 to 1.5 times `pause_ms`."""
    jitter = random.Random(1)
    times = []
    with connect(port) as client:
        for _ in range(REQUESTS):
            time.sleep(pause_ms / 1e3 * jitter.uniform(0.5, 1.5))
            started_s = time.perf_counter()
            client.sendall(REQUEST)
            assert client.recv(4096).endswith(b"ok\n")
            times.append((time.perf_counter() - started_s) * 1e3)
    return sorted(times)


def percentile(times: list[float], share: float) -> float:
    return times[int(len(times) * share)]


def added_ms(server: ToxiproxyServer, upstream: int) -> dict[str, float]:
    """Times under the toxic, less its latency and the median time without it (at like idle pauses)."""
    port = int(server.create("web", upstream)["listen"].rpartition(":")[2])
    clean = percentile(times_ms(port, LATENCY_MS / 2), 0.5)
    server.add_toxic("web", "latency", attributes={"latency": LATENCY_MS})
    slowed = times_ms(port, 2)
    over = {name: percentile(slowed, share) - LATENCY_MS for name, share in (("p50", 0.5), ("p99", 0.99))}
    return {"clean": clean, "p50": over["p50"] - clean, "p99": over["p99"] - clean} | {
        f"{name} in all": value for name, value in over.items()
    }


def test_added_latency(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("nginx")
    need_quiet()
    with nginx(tmp_path) as upstream, running("embedded") as embedded, running("real") as real:
        rows = {server.kind: added_ms(server, upstream) for server in (real, embedded)}
    with capsys.disabled():
        print(f"\nms beyond {LATENCY_MS} ms, {REQUESTS} requests, load {os.getloadavg()[0]:.1f}")  # noqa: T201
        for kind, row in rows.items():
            print(f"{kind:>9}  " + "  ".join(f"{name} {value:.2f}" for name, value in row.items()))  # noqa: T201
    assert rows["embedded"]["p50"] <= P50_LIMIT_MS
    assert rows["embedded"]["p99"] <= P99_LIMIT_MS
