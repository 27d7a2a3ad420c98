"""What a request costs at low and high rates, with few and many streams, and what memory does meanwhile."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chaoskit.address import Address
from chaoskit.records import History
from tests.benchmarks.far_end import FarEnd
from tests.benchmarks.page import QUICK, publish
from tests.support.load_plan import get, plan_of, play_plan, stream_of

MEMORY_SECONDS = float(os.environ.get("CHAOSKIT_BENCH_MEMORY_S", "15" if QUICK else "60"))
"""600 for the ten minutes that the README speaks of."""
MEMORY_RATE_RPS = 5_000
SECONDS = 4.0 if QUICK else 10.0
STREAMS_RATE_RPS = 5_000

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.timeout(MEMORY_SECONDS + 300),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]


@pytest.fixture
def far_end(tmp_path: Path) -> Iterator[FarEnd]:
    with FarEnd.started(tmp_path) as started:
        yield started


async def play(folder: Path, far_end: FarEnd, rate_rps: float, seconds: float, streams: int = 1) -> History:
    plan = plan_of(*(stream_of(get("/"), (seconds, rate_rps / streams), name=f"stream-{n}") for n in range(streams)))
    return await play_plan(folder, plan, Address("127.0.0.1", far_end.port))


def used_cores(history: History) -> float:
    """CPU time a second of the load process, between its first and its last report in the run."""
    first, last = history.generator[0], history.generator[-2]
    return (last.cpu_s - first.cpu_s) / (last.t_s - first.t_s)


async def test_cost_by_rate_and_streams(far_end: FarEnd, tmp_path: Path) -> None:
    """Flat beside what one process costs by being there: hand-up, heartbeat, deadlines."""
    idle_cores = used_cores(await play(tmp_path, far_end, 1, SECONDS))
    rows = [["1/s", "1", "", "", f"{idle_cores:.1%}"]]
    costs_us: dict[tuple[int, int], float] = {}
    for rate_rps, streams in ((100, 1), (1_000, 1), (5_000, 1), (15_000, 1), (5_000, 10), (5_000, 50)):
        cores = used_cores(await play(tmp_path, far_end, rate_rps, SECONDS, streams))
        costs_us[rate_rps, streams] = cost_us = (cores - idle_cores) / rate_rps * 1e6
        rows.append(
            [f"{rate_rps:,}/s", str(streams), f"{cores / rate_rps * 1e6:.1f}", f"{cost_us:.1f}", f"{cores:.1%}"]
        )
    publish(
        "cost by rate",
        ["rate", "streams", "CPU a request, µs", "beside the process's own, µs", "of a core"],
        rows,
        "The process's own is what it takes at 1/s: hand-up, heartbeat, deadlines. At low rates each request wakes the",
        "process; at high ones several are sent and read at one wake-up.",
    )
    assert costs_us[5_000, 50] < 2 * costs_us[5_000, 1]
    assert costs_us[15_000, 1] < 2 * costs_us[1_000, 1]


async def test_memory_stays_where_it_is(far_end: FarEnd, tmp_path: Path) -> None:
    """The plan's arrivals are laid out before the start; from then on nothing may pile up."""
    over = threading.Event()
    samples_mb: list[float] = []

    def watch() -> None:
        child = next(
            each for each in psutil.Process().children(recursive=True) if "chaoskit.load.child" in each.cmdline()
        )
        over.wait(MEMORY_SECONDS / 10)
        while not over.wait(MEMORY_SECONDS / 100) and child.is_running():
            samples_mb.append(child.memory_info().rss / 1e6)

    watcher = threading.Thread(target=watch)
    plan = plan_of(stream_of(get("/"), (MEMORY_SECONDS, MEMORY_RATE_RPS)))
    try:
        await play_plan(tmp_path, plan, Address("127.0.0.1", far_end.port), during=lambda _: watcher.start())
    finally:
        over.set()
        watcher.join()
    early_mb, late_mb = max(samples_mb[:20]), max(samples_mb[-20:])
    publish(
        "memory",
        ["rate", "seconds", "memory early in the run, MB", "late in the run, MB"],
        [[f"{MEMORY_RATE_RPS:,}/s", f"{MEMORY_SECONDS:.0f}", f"{early_mb:.0f}", f"{late_mb:.0f}"]],
    )
    assert late_mb <= early_mb * 1.03 + 2
