"""Whole plays: real load processes against a server on loopback."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter, defaultdict
from pathlib import Path

import psutil
import pytest

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.errors import SetupFailed
from chaoskit.load.crew import PipedCrew
from chaoskit.load.messages import READY, Setup, encode_go
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.arrivals import per_second, schedule
from chaoskit.plan.codec import encode
from chaoskit.plan.flow import HttpRequest, PlannedFlow
from chaoskit.plan.model import Plan
from chaoskit.records import LOST, Histogram, History
from tests.support.load_plan import ENTRY, Play, get, plan_of, stream_of
from tests.support.misbehaving_server import MisbehavingServer


def offered_per_second(history: History, stream: str = "trading") -> dict[int, int]:
    offered: dict[int, int] = defaultdict(int)
    for batch in history.samples:
        if batch.stream == stream:
            offered[batch.second] += batch.ok + sum(batch.failed.values())
    return dict(offered)


def failures(history: History) -> Counter[str]:
    return sum((Counter(dict(batch.failed)) for batch in history.samples), Counter())


async def test_each_second_of_a_step_is_offered_exactly_as_planned(play: Play, server: MisbehavingServer) -> None:
    plan = plan_of(stream_of(get("/ok"), (1, 8), (2, 800), (1, 8)), workers=2)
    history = await play(plan, server.address)
    planned = per_second(schedule(plan.streams[0]), plan.duration_s)
    assert planned == (8, 800, 800, 8)
    assert offered_per_second(history) == dict(enumerate(planned))
    assert failures(history) == {}
    assert sum(each.ok for each in history.completions) == sum(planned)
    assert len(server.paths) == sum(planned)
    lag_us = Histogram.merged(batch.lag_us for batch in history.samples)
    assert lag_us.count == sum(planned)
    assert {batch.worker for batch in history.samples} == {0, 1}


async def test_a_frozen_target_shows_in_the_response_clock_not_in_the_median_service(
    play: Play, server: MisbehavingServer
) -> None:
    plan = plan_of(stream_of(get("/ok"), (4, 100)))

    def freeze_soon(load: LoadProcesses) -> None:
        asyncio.get_running_loop().call_later(1.5, server.freeze, 1.0)

    history = await play(plan, server.address, during=freeze_soon)
    response_us = Histogram.merged(batch.response_us for batch in history.samples)
    service_us = Histogram.merged(batch.service_us for batch in history.samples)
    assert response_us.count == 400
    p99_us, p50_us = response_us.quantile_us(0.99), service_us.quantile_us(0.5)
    assert p99_us is not None
    assert p50_us is not None
    assert 700_000 < p99_us < 1_500_000
    assert p50_us < 100_000


async def test_the_generator_reports_on_itself(play: Play, server: MisbehavingServer) -> None:
    history = await play(plan_of(stream_of(get("/never"), (2, 10), name="s", timeout_s=1.0)), server.address)
    assert failures(history) == {"timeout": 20}
    assert len(history.generator) >= 4
    assert max(each.in_flight for each in history.generator) >= 5
    last = {each.resource: each for each in history.resources}
    cpu, connections = last["generator/worker@0.cpu"], last["generator/worker@0.connections"]
    assert (cpu.servers, cpu.completions) == (1, 20)
    assert 0 < cpu.busy_s < 20
    assert connections.servers == 200
    assert 18 < connections.busy_s < 24  # twenty arrivals, a second each
    assert connections.blocked_s == {"client->web": connections.busy_s}
    times_s = [each.t_s for each in history.generator]
    assert times_s == sorted(times_s)


async def test_a_python_flow_with_settings_and_its_mistakes(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    (tmp_path / "flows_of_test.py").write_text(
        textwrap.dedent("""
        def buy(client, arrival):
            print("what a flow prints does not break a record")
            path = arrival.settings["path"] if arrival.credentials["api_key"] == "k" else "/503"
            answer = client.request("POST", path, {"x-index": str(arrival.index)}, b"order")
            if arrival.index % 2:
                raise ZeroDivisionError(answer.status)
        """)
    )
    flow = PlannedFlow("python", "flows_of_test:buy", str(tmp_path))
    history = await play(plan_of(stream_of(flow, (1, 20)), settings={"path": "/ok"}), server.address)
    assert failures(history) == {"flow error: ZeroDivisionError": 10}
    assert sum(batch.ok for batch in history.samples) == 10
    assert set(server.bodies) == {b"order"}
    notes = [each.detail for each in history.events if each.event == "note" and "flow" in each.detail]
    assert len(notes) == 3
    assert "flows_of_test.py" in notes[0]


async def test_a_locustfile_runs_as_it_is(play: Play, server: MisbehavingServer, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        textwrap.dedent("""
        from locust import FastHttpUser, HttpUser, constant, events, task

        @events.request.add_listener
        def listen(request_type, name, response_time, **_):
            assert response_time >= 0

        class Visitor(FastHttpUser):
            wait_time = constant(0.05)
            weight = 3

            @task
            def look(self):
                self.client.get("/ok")

        class Buyer(HttpUser):
            wait_time = constant(0.05)
            fixed_count = 1

            @task
            def buy(self):
                self.client.post("/503")
        """)
    )
    closed = stream_of(PlannedFlow("locustfile", "mine.py", str(tmp_path)), (1.5, 2), (1.5, 6), name="web", users=2)
    opened = stream_of(get("/ok"), (3, 10))
    history = await play(plan_of(closed, opened), server.address)
    assert offered_per_second(history) == dict.fromkeys(range(3), 10)
    ok = dict.fromkeys(range(4), 0)
    failed: Counter[str] = Counter()
    for batch in history.samples:
        if batch.stream == "web":
            ok[batch.second] += batch.ok
            failed.update(batch.failed)
    assert set(failed) == {"status 503"}
    assert 5 <= ok[0] <= 21  # one visitor
    assert ok[2] > 2 * ok[0]  # five of them
    assert server.paths.count("/503") >= sum(failed.values())


async def test_nothing_but_a_locustfile_over_two_processes(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from locust import FastHttpUser, constant, events\n"
        "@events.init_command_line_parser.add_listener\n"
        "def add(parser): parser.add_argument('--path', default='/ok')\n"
        "class Visitor(FastHttpUser):\n"
        "    wait_time = constant(0.1)\n"
        "    tasks = [lambda self: self.client.get(self.environment.parsed_options.path)]\n"
        "for name in ('init', 'test_start', 'test_stop', 'quitting'):\n"
        f"    def note(name=name, **_): open({str(tmp_path / 'heard')!r}, 'a').write(name + ' ')\n"
        "    getattr(events, name).add_listener(note)\n"
    )
    closed = stream_of(PlannedFlow("locustfile", "mine.py", str(tmp_path)), (1.5, 3), name="web", users=3)
    history = await play(plan_of(closed, workers=2), server.address)
    assert {batch.worker for batch in history.samples} == {0, 1}
    assert failures(history) == {}
    assert 10 <= sum(batch.ok for batch in history.samples) <= 50
    heard = Counter((tmp_path / "heard").read_text().split())
    assert heard == {"init": 2, "test_start": 2, "test_stop": 2, "quitting": 2}


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (PlannedFlow("python", "no_such_module:buy", "/nowhere"), "no_such_module:buy of stream trading cannot be"),
        (PlannedFlow("python", "json:no_such_function", ""), "no_such_function"),
        (
            PlannedFlow("request", request=HttpRequest("GET", "/ok", {"authorization": "${CHAOSKIT_TEST_UNSET}"})),
            "header authorization refers to the environment variable CHAOSKIT_TEST_UNSET",
        ),
        (PlannedFlow("locustfile", "no_such_file.py", "/nowhere"), "no_such_file.py of stream trading"),
    ],
)
async def test_a_flow_that_cannot_be_loaded_is_a_failed_setup(
    play: Play, server: MisbehavingServer, flow: PlannedFlow, words: str
) -> None:
    with pytest.raises(SetupFailed, match=words):
        await play(plan_of(stream_of(flow, (1, 10))), server.address)


async def test_a_locustfile_that_wants_an_option_is_told_where_it_comes_from(
    play: Play, server: MisbehavingServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from locust import HttpUser, events\n"
        "@events.init_command_line_parser.add_listener\n"
        "def add(parser): parser.add_argument('--key', required=True)\n"
        "class Visitor(HttpUser):\n"
        "    tasks = [lambda self: None]\n"
    )
    closed = stream_of(PlannedFlow("locustfile", "mine.py", str(tmp_path)), (1, 1), users=1)
    with pytest.raises(SetupFailed, match=r"options are not complete: .*--key; give the option a default, or an `env_"):
        await play(plan_of(closed), server.address)


async def test_a_process_that_dies_is_an_event(play: Play, server: MisbehavingServer) -> None:
    def kill_one(load: LoadProcesses) -> None:
        asyncio.get_running_loop().call_later(0.7, os.kill, load.pids["generator@0"], signal.SIGKILL)

    history = await play(plan_of(stream_of(get("/ok"), (2, 20)), workers=2), server.address, during=kill_one)
    lost = [each.detail for each in history.events if each.event == "worker_lost"]
    assert ["load process 0" in detail for detail in lost] == [True]
    assert {batch.worker for batch in history.samples if batch.second == 1} == {1}


async def test_stop_is_soon_and_hands_up_what_was_measured(server: MisbehavingServer, tmp_path: Path) -> None:
    load = await started(plan_of(stream_of(get("/ok"), (60, 50))), server.address, tmp_path)
    pids = list(load.pids.values())
    load.release(Clock.starting_now())
    records = []
    async for record in load.records():
        records.append(record)
        if record.type == "sample" and record.second >= 1:
            os.kill(pids[0], signal.SIGTERM)
    before_s = time.monotonic()
    await load.stop()
    await load.stop()
    assert time.monotonic() - before_s < 5
    history = History.of(records)
    assert [event for event in history.events if event.event != "note"] == []  # it ended in order
    assert offered_per_second(history)[0] == 50
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_stop_before_release(server: MisbehavingServer, tmp_path: Path) -> None:
    load = await started(plan_of(stream_of(get("/ok"), (60, 50))), server.address, tmp_path)
    pids = list(load.pids.values())
    await load.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert server.paths == []


@pytest.mark.parametrize("released", [False, True])
def test_a_load_process_ends_when_its_parent_is_gone(server: MisbehavingServer, tmp_path: Path, released: bool) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(encode(plan_of(stream_of(get("/ok"), (60, 50)))))
    with subprocess.Popen(
        [sys.executable, "-m", "chaoskit.load.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(Setup(str(path), 0, 1, {ENTRY: str(server.address)}).encode())
        child.stdin.flush()
        assert child.stdout.readline() == READY
        if released:
            child.stdin.write(encode_go(time.monotonic()))
            child.stdin.flush()
            assert child.stdout.readline().startswith(b"{")
        child.stdin.close()
        assert child.wait(timeout=5) == 0


def test_importing_load_imports_neither_locust_nor_gevent() -> None:
    code = "import sys, chaoskit.load.processes; sys.exit(bool({'locust', 'gevent', 'httptools'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def started(plan: Plan, address: Address, folder: Path) -> LoadProcesses:
    path = folder / "plan.json"
    path.write_bytes(encode(plan))
    load = LoadProcesses(plan, path, {ENTRY: address}, folder, {})
    await load.start()
    return load


@pytest.mark.parametrize("line", [b'{"type":"sample","second":\n', b"x" * (1 << 17)])
async def test_a_process_that_says_what_nobody_understands_is_lost_with_the_reason(
    server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr("chaoskit.load.crew.LINE_BYTES", 1 << 16)
    load = await started(plan_of(stream_of(get("/ok"), (60, 50))), server.address, tmp_path)
    assert isinstance(load._crew, PipedCrew)
    try:
        load.release(Clock.starting_now())
        lines = asyncio.StreamReader(limit=1 << 16)
        lines.feed_data(line)
        lines.feed_eof()
        load._crew._children[0].stdout = lines
        async with asyncio.timeout(5):
            history = History.of([record async for record in load.records()])
    finally:
        await load.stop()
    assert [each.event for each in history.events] == ["worker_lost"]
    assert "load process 0 cannot be understood any more" in history.events[0].detail


@pytest.mark.parametrize("losses", [1, 2])
async def test_when_workers_are_lost_the_others_play_on_and_every_arrival_is_accounted_for(
    play: Play, server: MisbehavingServer, tmp_path: Path, losses: int
) -> None:
    (tmp_path / "flows_of_loss.py").write_text(
        "def one(client, arrival): client.request('POST', '/ok', {}, f'one {arrival.index}'.encode())\n"
        "def two(client, arrival): client.request('POST', '/ok', {}, f'two {arrival.index}'.encode())\n"
    )
    flows = [PlannedFlow("python", f"flows_of_loss:{name}", str(tmp_path)) for name in ("one", "two")]
    plan = plan_of(stream_of(flows[0], (4, 300)), stream_of(flows[1], (4, 50), name="slow"), workers=3)

    def kill(load: LoadProcesses) -> None:
        for worker in range(losses):
            pid = load.pids[f"generator@{worker}"]
            asyncio.get_running_loop().call_later(1.3 + 0.6 * worker, os.kill, pid, signal.SIGKILL)

    history = await play(plan, server.address, during=kill)
    for stream in plan.streams:
        planned = per_second(schedule(stream), plan.duration_s)
        assert offered_per_second(history, stream.name) == dict(enumerate(planned))
    assert set(failures(history)) == {LOST}
    lost = failures(history)[LOST]
    assert 0 < lost < losses * 350
    assert sum(each.ok + each.failed for each in history.completions) == 4 * 350
    events = [each for each in history.events if each.event == "worker_lost"]
    assert [f"load process {n} ended with code -9" in each.detail for n, each in enumerate(events)] == [True] * losses
    assert "2 others took over from t = 1." in events[0].detail
    assert sum(int(each.detail.split(" arrivals were lost")[0].split()[-1]) for each in events) == lost
    bodies = Counter(server.bodies)
    assert set(bodies.values()) == {1}  # no arrival is played twice
    assert 4 * 350 - lost <= len(bodies) < 4 * 350
