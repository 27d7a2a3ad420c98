"""What a fleet costs the machine that collects: 100 workers' hand-ups, recorded from one and replayed at their pace.

python -m pytest -m benchmark -s tests/benchmarks/test_fleet.py
"""

import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.load.crew import LINE_BYTES
from chaoskit.load.processes import LoadProcesses
from chaoskit.load.remote import FleetCrew
from chaoskit.plan.codec import encode
from chaoskit.plan.model import Plan
from chaoskit.records import SampleBatch
from chaoskit.runner.live import LiveState
from chaoskit.runner.recorder import Recorder
from chaoskit.store import RunFolder
from tests.support.load_plan import ENTRY, get, plan_of, stream_of
from tests.support.misbehaving_server import MisbehavingServer

pytestmark = pytest.mark.benchmark
SECONDS = 8
RATE = 1000
FEEDER = Path(__file__).parent / "fleet_feeder.py"
HandUps = list[tuple[float, str]]


async def recorded(plan: Plan, folder: Path) -> tuple[HandUps, float]:
    """What one real worker hands up through a Locust master, and the master's CPU seconds per second meanwhile."""
    server = MisbehavingServer()
    path = folder / "plan.json"
    path.write_bytes(encode(plan))
    load = LoadProcesses(plan, path, {ENTRY: server.address}, folder, {})
    await load.start()
    master = psutil.Process(load.pids["generator@master"])
    said: HandUps = []
    try:
        zero_s, before_s = time.monotonic(), sum(master.cpu_times()[:2])
        load.release(Clock(zero_s))
        last_s = zero_s
        async for _, line in load._crew.said():
            now_s = time.monotonic()
            if said and now_s - last_s < 0.1:
                said[-1] = (said[-1][0], said[-1][1] + str(line, "utf-8") if isinstance(line, bytes) else "")
            elif isinstance(line, bytes):
                said.append((now_s - last_s, line.decode()))
                last_s = now_s
            if now_s - zero_s > SECONDS - 1:
                break
        spent = (sum(master.cpu_times()[:2]) - before_s) / (time.monotonic() - zero_s)
    finally:
        await load.stop()
        server.stop()
    return said, spent


async def collected(plan: Plan, recording: Path, folder: Path, times: int) -> tuple[float, float, int]:
    """The collector's CPU seconds per second, how late the feeder got rid of its last line, and arrivals."""
    workers = plan.generator.load_processes
    feeder = await asyncio.create_subprocess_exec(
        sys.executable,
        str(FEEDER),
        *(str(recording), str(workers), str(times)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    load = LoadProcesses(plan, folder / "plan.json", {ENTRY: Address("127.0.0.1", 1)}, folder, {})
    assert isinstance(load._crew, FleetCrew)
    load._crew._master = feeder
    load._playing = list(range(workers))
    run = RunFolder.create(folder, plan, scenario_text="", provenance={})
    recorder = Recorder(run, LiveState(plan), Clock.starting_now())
    arrivals = 0
    start_s, cpu_s = time.monotonic(), time.process_time()
    async for record in load.records():
        recorder.emit(record)
        if isinstance(record, SampleBatch):
            arrivals += record.ok
    cpu = (time.process_time() - cpu_s) / (time.monotonic() - start_s)
    assert feeder.stderr is not None
    late_s = float((await feeder.stderr.read()).split()[-1])
    await feeder.wait()
    run.close()
    return cpu, late_s, arrivals


async def test_a_hundred_feeds_into_one_collector(tmp_path: Path) -> None:
    plan = plan_of(stream_of(get("/ok"), (SECONDS, RATE)))
    one = replace(plan, generator=replace(plan.generator, csv=str(tmp_path / "one")))
    hand_ups, master = await recorded(one, tmp_path)
    recording = tmp_path / "hand-ups.jsonl"
    recording.write_text("".join(json.dumps(each) + "\n" for each in hand_ups))
    counted = sum(
        json.loads(line)["ok"] for _, said in hand_ups for line in said.splitlines() if '"type":"sample"' in line
    )
    said_bytes = sum(len(said) for _, said in hand_ups) / sum(pause_s for pause_s, _ in hand_ups)
    sys.stdout.write(
        f"\none worker at {RATE}/s hands up {said_bytes / 1e3:.1f} kB/s; its Locust master: {master:.2%} of a core\n"
    )
    for workers in (25, 100):
        fleet = replace(plan, generator=replace(plan.generator, remote_workers=workers))
        cpu, late_s, arrivals = await collected(fleet, recording, tmp_path, times=2)
        assert arrivals == 2 * workers * counted  # nothing is lost or counted twice
        sys.stdout.write(
            f"{workers:4} feeds: {cpu:.1%} of a core, {cpu / workers:.3%} each, feeder {late_s * 1e3:.0f} ms late; "
            f"one core ends at {workers / cpu:,.0f} workers of one stream\n"
        )
