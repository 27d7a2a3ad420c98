"""One measurement of one client against a running server, in a process of its own; prints one JSON line.

python tests/benchmarks/load_clients.py closed|fast|fast-tasks|http PORT CONNECTIONS SECONDS
python tests/benchmarks/load_clients.py open PORT CONNECTIONS SECONDS RATE
python tests/benchmarks/load_clients.py paced-fast|paced-http PORT USERS SECONDS [FIRST_USERS FIRST_SECONDS]

Locust's users are as quick as its users can write them, one request after the other within one task, or (`fast-tasks`)
as Locust's documentation writes them, a task for each request. Paced, each
makes ten requests a second (`constant_throughput`), as Locust's documentation advises for a rate.
"""

import gc
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import gevent
import locust
import numpy as np
from locust import FastHttpUser, HttpUser, User
from locust.env import Environment

from chaoskit.address import Address
from chaoskit.load.arrival import Stream
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.load.flow import load_flow
from chaoskit.load.outcomes import Recorder
from chaoskit.load.pool import Pool
from chaoskit.load.routing import router_for
from chaoskit.load.run_time import RunTime
from chaoskit.plan.arrivals import Schedule
from chaoskit.plan.flow import HttpRequest, PlannedFlow
from chaoskit.records import Histogram


def lean(port: int, connections: int, times_us: "np.typing.NDArray[np.int64]") -> dict[str, float]:
    """Play arrivals at `times_us`; all at 0 is a closed loop, because each connection takes the next at once."""
    run_time = RunTime()
    pool = Pool("client->web", "client->web", Address("127.0.0.1", port), connections)
    dispatcher = Dispatcher(run_time, [pool])
    recorder = Recorder("trading", "client->web")
    flow = load_flow("trading", PlannedFlow("request", request=HttpRequest("GET", "/")))
    stream = Stream("trading", flow, router_for("pinned", 1), 60_000_000, [recorder], {}, {})
    dispatcher.warm(connections)
    gc.collect()  # from here on as in `chaoskit.load.child`
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    run_time.release(time.monotonic())
    cpu_s = time.process_time()
    dispatcher.play(stream, Schedule(times_us, np.zeros(len(times_us), dtype=np.uint32)), 0, 1)
    dispatcher.drain(60_000_000)
    cpu_s = time.process_time() - cpu_s
    outcomes = recorder.take()
    lag_us = Histogram.merged(batch.lag_us for batch in outcomes.batches(0))
    return {
        "requests": len(outcomes.ok),
        "failed": len(outcomes.failed),
        "seconds": float(outcomes.done_us.max()) / 1e6,
        "cpu_s": cpu_s,
        "rss_mb": rss_mb(),
        "lag_p50_ms": (lag_us.quantile_us(0.5) or 0) / 1e3,
        "lag_p99_ms": (lag_us.quantile_us(0.99) or 0) / 1e3,
        "lag_max_ms": lag_us.max_us / 1e3,
    }


def locust_users(
    base: type[User], port: int, users: int, seconds: float, first: tuple[int, float] = (0, 0.0), *, kind: str
) -> dict[str, float]:
    """Run so many users of `base` that do nothing but GET /; before them, so many for so long."""

    def look(self: FastHttpUser) -> None:
        self.client.get("/")
        while kind in {"fast", "http"}:
            self.client.get("/")

    members: dict[str, Any] = {"host": f"http://127.0.0.1:{port}", "tasks": [look]}
    if kind.startswith("paced"):
        members["wait_time"] = locust.constant_throughput(10)
    environment = Environment(user_classes=[type("Looker", (base,), members)])
    runner = environment.create_local_runner()
    started_s, cpu_s = time.monotonic(), time.process_time()
    for count, lasting_s in (first, (users, seconds)):
        if count:
            runner.start(count, spawn_rate=count)
            gevent.sleep(lasting_s)
    total = environment.stats.total
    figures = {
        "requests": float(total.num_requests),
        "failed": float(total.num_failures),
        "seconds": time.monotonic() - started_s,
        "cpu_s": time.process_time() - cpu_s,
        "rss_mb": rss_mb(),
        "p99_ms": float(total.get_response_time_percentile(0.99)),
    }
    runner.quit()
    return figures


def rss_mb() -> float:
    """The most memory that this process ever had (`getrusage` would count its parent's, from before it was loaded)."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    kind, port, connections, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    if kind == "closed":
        figures = lean(port, connections, np.zeros(int(seconds * 20_000), dtype=np.int64))
    elif kind == "open":
        rate = float(sys.argv[5])
        times_us = (np.arange(int(seconds * rate)) * (1e6 / rate)).astype(np.int64)
        figures = lean(port, connections, times_us)
    else:
        base = HttpUser if kind.endswith("http") else FastHttpUser
        first = (int(sys.argv[5]), float(sys.argv[6])) if len(sys.argv) > 5 else (0, 0.0)
        figures = locust_users(base, port, connections, seconds, first, kind=kind)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
