"""Whole plays under a Locust master: workers as Locust workers, on loopback."""

import asyncio
import csv
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chaoskit.clock import Clock
from chaoskit.errors import SetupFailed
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.arrivals import per_second, schedule
from chaoskit.plan.codec import encode
from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.model import GeneratorPlan, Plan
from chaoskit.records import LOST, History
from tests.support.load_plan import ENTRY, Play, get, plan_of, stream_of
from tests.support.misbehaving_server import MisbehavingServer


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def with_generator(plan: Plan, **changes: object) -> Plan:
    generator: GeneratorPlan = replace(plan.generator, **changes)  # type: ignore[arg-type]
    return replace(plan, generator=generator)


@contextmanager
def workers(count: int, port: int, log: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many `chaoskit worker` processes; they end with the run."""
    with log.open("wb") as errors:
        command = [sys.executable, "-m", "chaoskit", "worker", "--master", f"127.0.0.1:{port}"]
        started = [subprocess.Popen(command, stderr=errors) for _ in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def totals(history: History) -> dict[str, tuple[int, int]]:
    """Requests and failures by stream, as our records have them."""
    found: dict[str, tuple[int, int]] = {}
    for batch in history.samples:
        requests, failed = found.get(batch.stream, (0, 0))
        failures = sum(batch.failed.values())
        found[batch.stream] = (requests + batch.ok + failures, failed + failures)
    return found


def rows(folder: Path) -> dict[str, tuple[int, int]]:
    """Requests and failures by name, as Locust's file has them."""
    with (folder / "day_stats.csv").open() as file:
        return {row["Name"]: (int(row["Request Count"]), int(row["Failure Count"])) for row in csv.DictReader(file)}


async def test_locusts_totals_and_files_are_right_to_the_request(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    plan = plan_of(stream_of(get("/ok"), (2, 150)), stream_of(get("/503"), (2, 40), name="bad"), workers=2)
    history = await play(with_generator(plan, csv=str(tmp_path / "locust" / "day")), server.address)
    assert totals(history) == {"trading": (300, 0), "bad": (80, 80)}
    assert rows(tmp_path / "locust") == {**totals(history), "Aggregated": (380, 80)}
    with (tmp_path / "locust" / "day_failures.csv").open() as file:
        assert [(row["Name"], row["Occurrences"]) for row in csv.DictReader(file)] == [("bad", "80")]
    assert {batch.worker for batch in history.samples} == {0, 1}


async def test_two_workers_from_elsewhere_play_one_plan_and_lose_nothing(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    port = free_port()
    plan = with_generator(plan_of(stream_of(get("/ok"), (3, 200))), remote_workers=2, listen=f"127.0.0.1:{port}")
    with workers(2, port, tmp_path / "workers.log") as started:
        history = await play(plan, server.address)
        assert [worker.wait(timeout=20) for worker in started] == [0, 0], (tmp_path / "workers.log").read_text()
    offered = dict.fromkeys(range(3), 0)
    for batch in history.samples:
        offered[batch.second] += batch.ok
    assert offered == dict(enumerate(per_second(schedule(plan.streams[0]), 3.0)))
    assert len(server.paths) == 600
    assert {batch.worker for batch in history.samples} == {0, 1}
    clocks = [event.detail for event in history.events if "its clock known to" in event.detail]
    assert len(clocks) == 2


async def test_a_worker_that_vanishes_is_missed_and_the_other_takes_over(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    port = free_port()
    streams = stream_of(get("/ok"), (9, 60)), stream_of(get("/503"), (9, 20), name="bad")
    plan = with_generator(
        plan_of(*streams), remote_workers=2, listen=f"127.0.0.1:{port}", csv=str(tmp_path / "locust" / "day")
    )
    with workers(2, port, tmp_path / "workers.log") as started:

        def kill_one(load: LoadProcesses) -> None:
            asyncio.get_running_loop().call_later(1.5, os.kill, started[0].pid, signal.SIGKILL)

        history = await play(plan, server.address, during=kill_one)
        assert started[1].wait(timeout=20) == 0
    assert totals(history)["trading"][0] == 540
    lost = sum(batch.failed.get(LOST, 0) for batch in history.samples if batch.stream == "trading")
    assert 60 < lost < 270  # three heartbeats of half the load, and a hand-up
    assert rows(tmp_path / "locust") == {**totals(history), "Aggregated": (720, 180 + lost)}
    (event,) = [event for event in history.events if event.event == "worker_lost"]
    assert "three heartbeats did not come" in event.detail
    assert "1 other took over" in event.detail


async def test_a_worker_without_the_targets_files_says_so(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    plan = plan_of(stream_of(PlannedFlow("python", "nowhere:buy", "/no/such/folder"), (1, 10)))
    with pytest.raises(SetupFailed, match=r"load worker 0 cannot play this plan: the flow nowhere:buy of stream trad"):
        await play(with_generator(plan, csv=str(tmp_path / "day")), server.address)


async def test_locusts_page_shows_the_run_and_changes_nothing(play: Play, server: MisbehavingServer) -> None:
    port = free_port()
    seen: list[str] = []
    refused: list[int] = []

    def look() -> None:
        url = f"http://127.0.0.1:{port}"
        deadline_s = time.monotonic() + 10
        while '"name":"trading"' not in "".join(seen).replace(" ", "") and time.monotonic() < deadline_s:
            with urllib.request.urlopen(f"{url}/stats/requests") as answer:
                seen.append(answer.read().decode())
            time.sleep(0.2)
        for path in ("swarm", "stop", "stats/reset"):
            try:
                urllib.request.urlopen(urllib.request.Request(f"{url}/{path}", data=b""))
            except urllib.error.HTTPError as error:
                refused.append(error.code)
        with urllib.request.urlopen(url) as answer:
            seen.append(answer.read().decode())

    looking: list[asyncio.Task[None]] = []

    def during(load: LoadProcesses) -> None:
        looking.append(asyncio.create_task(asyncio.to_thread(look)))

    plan = with_generator(plan_of(stream_of(get("/ok"), (4, 50))), web=f"127.0.0.1:{port}")
    history = await play(plan, server.address, during=during)
    await looking[0]
    assert refused == [403, 403, 403]
    assert "Locust" in seen[-1]
    assert totals(history) == {"trading": (200, 0)}
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}")


async def test_a_port_that_is_taken_is_said(play: Play, server: MisbehavingServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        plan = with_generator(plan_of(stream_of(get("/ok"), (1, 10))), remote_workers=1, listen=listen)
        with pytest.raises(SetupFailed, match=rf"cannot listen at {listen}: Address already in use; choose another"):
            await play(plan, server.address)


async def test_a_run_that_is_stopped_still_gets_what_the_workers_measured(
    server: MisbehavingServer, tmp_path: Path
) -> None:
    plan = with_generator(plan_of(stream_of(get("/ok"), (60, 50)), workers=2), csv=str(tmp_path / "day"))
    path = tmp_path / "plan.json"
    path.write_bytes(encode(plan))
    load = LoadProcesses(plan, path, {ENTRY: server.address}, tmp_path, {})
    await load.start()
    pids = load.pids.values()
    load.release(Clock.starting_now())
    asyncio.get_running_loop().call_later(2.2, lambda: stopping.append(asyncio.ensure_future(load.stop())))
    stopping: list[asyncio.Future[None]] = []
    history = History.of([record async for record in load.records()])
    await stopping[0]
    assert [event for event in history.events if event.event != "note"] == []
    assert sum(batch.ok for batch in history.samples if batch.second == 0) == 50
    assert not any(psutil.pid_exists(pid) for pid in pids)
