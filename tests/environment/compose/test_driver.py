"""The compose driver on a real engine."""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from chaoskit import containers
from chaoskit.clock import Clock
from chaoskit.environment import Driver, Workspace
from chaoskit.environment.compose import ComposeDriver
from chaoskit.environment.compose.command import find_command
from chaoskit.errors import SetupFailed, UsageError
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample, Receipt, Record
from chaoskit.runner.stage import Target, bring_up_target
from tests.environment.compose.conftest import base_image, everything_of, plan_of
from tests.support.sockets import free_port

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]
DOWN = PlannedFault("down", "down", "", {}, ("front->store",), None, None, "surge", 0.0, 1.0)


class Records:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.clock = Clock.starting_now()
        self.all: list[Record] = []
        self.refused = asyncio.Semaphore(0)

    def emit(self, record: Record) -> None:
        self.all.append(record)
        if isinstance(record, ProbeSample) and record.outcome == "refused":
            self.refused.release()


class Quiet:
    """A watcher that looks away."""

    def stage(self, sentence: str) -> None: ...

    def update(self, state: object) -> None: ...


@asynccontextmanager
async def up(folder: Path, run_id: str, records: Records) -> AsyncIterator[Target]:
    logs = folder / "logs"
    logs.mkdir()
    async with AsyncExitStack() as undo:
        yield await bring_up_target(plan_of(folder), run_id, logs, records, Quiet(), undo)


def entry_of(target: Target) -> str:
    return f"http://{target.layout.links['client->front'].listen}"


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url, timeout=10)


@contextmanager
def own_project(folder: Path) -> Iterator[None]:
    """The bazaar as its owner runs it, from the same file."""
    words = asyncio.run(find_command())
    call = [*words, "--project-name", "chaoskit-test-own", "--project-directory", str(folder)]
    call += ["--file", str(folder / "docker-compose.yaml")]
    subprocess.run([*call, "up", "--detach"], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*call, "down", "--volumes", "--timeout", "1"], check=True, capture_output=True)


def state_of_own(engine: docker.DockerClient) -> list[Any]:
    """Return whatever would show that the owner's project was touched."""
    wanted = {"label": "com.docker.compose.project=chaoskit-test-own"}
    found = engine.containers.list(filters=wanted)
    shown = [
        (one.id, one.attrs["State"]["StartedAt"], sorted(one.attrs["NetworkSettings"]["Networks"])) for one in found
    ]
    volumes = [one.attrs for one in engine.volumes.list(filters=wanted)]
    return [sorted(shown), volumes, [one.id for one in engine.networks.list(filters=wanted)]]


def test_a_link_is_re_pointed_beside_the_owners_project_which_is_left_alone(
    bazaar: Path, engine: docker.DockerClient
) -> None:
    file, ports = bazaar / "docker-compose.yaml", (free_port(), free_port())
    file.write_text(
        file.read_text().replace("7000:7000", f"{ports[0]}:{ports[0]}").replace("8080:8080", f"{ports[1]}:8080")
    )
    for changed in (file, bazaar / "target.yaml"):
        changed.write_text(changed.read_text().replace("7000", str(ports[0])))
    own = f"http://127.0.0.1:{ports[1]}/"
    run_id, records = os.urandom(4).hex(), Records()

    async def play() -> None:
        async with up(bazaar, run_id, records) as target:
            assert set(target.driver.instances) == {"front", "store"}
            assert (await get(f"{entry_of(target)}/")).text == "goods"
            await target.faults.inject(DOWN)
            assert (await get(f"{entry_of(target)}/")).status_code == 502
            assert (await get(own)).text == "goods"
            for _ in range(4):  # enough for a receipt
                await records.refused.acquire()
            await target.faults.heal()
            assert (await get(f"{entry_of(target)}/")).text == "goods"

    with own_project(bazaar):
        before = state_of_own(engine)
        asyncio.run(play())
        assert state_of_own(engine) == before
        assert len(before[0]) == 2
    receipts = [record for record in records.all if isinstance(record, Receipt)]
    assert [(receipt.place, receipt.effective, receipt.clean_after) for receipt in receipts] == [
        ("front->store", True, True)
    ]
    assert "front calls through a relay" in receipts[0].delivered
    assert everything_of(engine, run_id) == []
    assert (bazaar / "logs" / "front.log").exists()


CORNERS = """\
services:
  store:
    image: {base}
    container_name: the-store
    command: [python, /srv/store.py, --port, "7000"]
    volumes: ["./store.py:/srv/store.py:ro", "kept:/kept", "lost:/lost"]
    networks: {{back: {{aliases: [warehouse]}}}}
    healthcheck: {{test: ["CMD", "test", "-e", "/lost/opened"], interval: 300ms, retries: 100}}
    cpus: 0.5
    stop_signal: SIGKILL
  front:
    build: .
    command: [python, -c, "import os, socket; socket.create_connection(('warehouse', 7000)); exec(os.environ['NEXT'])"]
    environment:
      NEXT: os.execlp('python', 'python', '/srv/front.py', '--port', '8080', '--store', 'http://the-store:7000')
    volumes: ["./front.py:/srv/front.py:ro"]
    restart: always
    networks: [back, kept]
    stop_signal: SIGKILL
  opener:
    image: {base}
    command: [python, -c, "open('/lost/opened', 'w'); print('it is open')"]
    volumes: ["lost:/lost"]
networks:
  back: {{internal: true, ipam: {{config: [{{subnet: 10.213.77.0/24}}]}}}}
  kept: {{external: true, name: {kept}}}
volumes:
  kept: {{external: true, name: {kept}}}
  lost: {{name: {kept}-not}}
"""


@pytest.fixture
def kept(engine: docker.DockerClient) -> Iterator[str]:
    """The name of a network and of a volume that are the user's own."""
    name = f"chaoskit-test-{os.urandom(4).hex()}"
    network, volume = engine.networks.create(name), engine.volumes.create(name)
    yield name
    network.remove()
    volume.remove()


async def test_a_file_with_all_its_corners(bazaar: Path, engine: docker.DockerClient, kept: str) -> None:
    (bazaar / "Dockerfile").write_text("ARG BASE=python:3.11-slim\nFROM ${BASE}\n")
    (bazaar / "docker-compose.yaml").write_text(CORNERS.format(base=base_image(), kept=kept))
    run_id = os.urandom(4).hex()
    async with up(bazaar, run_id, Records()) as target:
        entry = entry_of(target)
        assert (await get(f"{entry}/")).text == "goods"
        await target.faults.inject(DOWN)
        assert (await get(f"{entry}/")).status_code == 502  # which calls the store by the name of its container
        await target.faults.heal()
        assert target.driver.provenance["engine"]["kind"] == "compose"
        assert target.driver.provenance["images"]["store"]["image"] == base_image()
        await check_control(target.driver, entry)
        await die(entry)
        death = await target.driver.watch()
        assert (death.instance, death.exit_code) == ("front", 7)
        async with asyncio.timeout(20):
            while "front" not in target.driver.instances:  # noqa: ASYNC110 - a restart policy tells nobody
                await asyncio.sleep(0.1)
        assert f"{kept}-not" not in [one.name for one in engine.volumes.list()]
    assert everything_of(engine, run_id) == []
    assert {kept} <= {one.name for one in (*engine.volumes.list(), *engine.networks.list())}
    assert "it is open" in (bazaar / "logs" / "opener.log").read_text()
    built = [tag for image in engine.images.list(name="chaoskit/bazaar-front") for tag in image.tags]
    assert built
    for tag in built:
        engine.images.remove(tag)


async def check_control(driver: Driver, entry: str) -> None:
    """Do to services what faults do: a restart policy must not interfere, nor a limit of the file be lost."""
    assert isinstance(driver, ComposeDriver)
    container = containers.connect().containers.get(driver.instances["store"].container_id)
    for cores, quota in ((0.25, 25_000), (None, 50_000)):
        await driver.limit("store", cores, None)
        container.reload()
        assert container.attrs["HostConfig"]["CpuQuota"] == quota
    await driver.pause("store")
    assert (await driver.vitals("store")).state == "paused"
    await driver.resume("store")
    await driver.halt("front", gently=False)
    assert (await driver.vitals("front")).state == "exited"
    await driver.start_again("front")
    assert (await get(f"{entry}/")).text == "goods"
    container.client.close()


async def die(entry: str) -> None:
    with suppress(httpx.HTTPError):
        await get(f"{entry}/die")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            '[python, /srv/store.py, --port, "7000"]',
            "[python, -c, raise SystemExit('no licence found')]",
            r"(?s)store did not come up: it exited with 1; .*no licence found",
            id="it dies",
        ),
        pytest.param("python:3.11-slim", "chaoskit-no-such-image", "", id="no image"),
        pytest.param(
            "depends_on: [store]",
            "healthcheck: {test: [CMD, python, -c, \"raise SystemExit('ill')\"], interval: 100ms, retries: 1}",
            r"front did not become ready: its health check fails: ill; it logged nothing",
            id="it is ill",
        ),
    ],
)
async def test_what_does_not_come_up_is_a_sentence(
    bazaar: Path, workspace: Workspace, old: str, new: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bazaar / "docker-compose.yaml"
    file.write_text(file.read_text().replace(old, new))
    if not message:
        monkeypatch.delenv("BASE")
        message = r"`docker.* up .*store` failed: .*chaoskit-no-such-image"
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=message):
        await driver.start()
    assert driver.instances == {}


async def test_a_bring_up_that_is_cancelled_leaves_nothing(
    bazaar: Path, workspace: Workspace, engine: docker.DockerClient
) -> None:
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    starting = asyncio.create_task(driver.start())
    async with asyncio.timeout(60):
        while not any(name.endswith(("store-1", "store_1")) for name in everything_of(engine, workspace.run_id)):  # noqa: ASYNC110 - the state of the engine
            await asyncio.sleep(0.02)
    assert not starting.done(), "compose is in the middle of its work"
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await driver.stop()


ONCE = """\
services:
  store:
    image: {base}
    command: [python, /srv/store.py, --port, "7000"]
    volumes: ["./store.py:/srv/store.py:ro"]
    stop_signal: SIGKILL
    depends_on: {{early: {{condition: service_completed_successfully}}}}
  front:
    image: {base}
    command: [python, /srv/front.py, --port, "8080", --store, "http://store:7000"]
    volumes: ["./front.py:/srv/front.py:ro"]
    stop_signal: SIGKILL
    depends_on:
      early: {{condition: service_completed_successfully}}
      migration: {{condition: service_completed_successfully}}
  early: &job
    image: {base}
    user: "{user}"
    command: [python, -c, "print('early', file=open('/jobs/done', 'a'))"]
    volumes: ["./jobs:/jobs"]
  migration:
    <<: *job
    command: [python, -c, "print('migration', file=open('/jobs/done', 'a'))"]
    depends_on: [store]
  last:
    <<: *job
    command: [python, -c, "print('last', file=open('/jobs/done', 'a')); print('all done')"]
    depends_on: [front]
"""


def write_jobs(bazaar: Path) -> None:
    (bazaar / "jobs").mkdir()
    user = f"{os.getuid()}:{os.getgid()}"
    (bazaar / "docker-compose.yaml").write_text(ONCE.format(base=base_image(), user=user))


async def test_a_job_of_the_file_runs_once(bazaar: Path, workspace: Workspace) -> None:
    write_jobs(bazaar)
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    await driver.start()
    done = bazaar / "jobs" / "done"
    async with asyncio.timeout(20):
        while "last" not in done.read_text():  # noqa: ASYNC110 - a job tells nobody
            await asyncio.sleep(0.05)
    await driver.stop()
    assert done.read_text().split() == ["early", "migration", "last"]
    assert (workspace.folder / "logs" / "last.log").read_text() == "all done\n"


async def test_a_job_that_fails_has_a_log_and_its_name_in_the_sentence(bazaar: Path, workspace: Workspace) -> None:
    write_jobs(bazaar)
    file = bazaar / "docker-compose.yaml"
    file.write_text(file.read_text().replace("print('early', file", "print('no table found'); exit(3); print('', file"))
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"early.* exited with 3"):
        await driver.start()
    assert (workspace.folder / "logs" / "early.log").read_text() == "no table found\n"


async def test_a_job_that_does_not_end_is_named(
    bazaar: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaoskit.environment.compose.driver.UP_TIMEOUT_S", -57.0)  # three seconds in all
    write_jobs(bazaar)
    file = bazaar / "docker-compose.yaml"
    file.write_text(file.read_text().replace("print('early'", "import time; time.sleep(600); print('early'"))
    driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"early.* after 3s"):
        await driver.start()


async def test_a_relay_is_not_downloaded_unasked(
    bazaar: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "TOXIPROXY_IMAGE", "chaoskit-no-such-relay:1")
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # as the user's own project does
        taken.listen()
        target = bazaar / "target.yaml"
        target.write_text(target.read_text().replace("7000", str(taken.getsockname()[1])))
        driver = ComposeDriver(plan_of(bazaar), workspace, workspace.folder / "logs", print)
        with pytest.raises(SetupFailed, match=r"link front->store .*`docker pull chaoskit-no-such-relay:1`"):
            await driver.prepare()
    await driver.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {store: {imag: x}}", r"docker-compose.yaml is no valid compose file: .*imag"),
        ("services: {", r"docker-compose.yaml is no valid compose file: .*line 2"),
        ("services: {stall: {image: x}}", r"docker-compose.yaml has no service 'store'; it has stall"),
        (
            "services: {store: {image: x}, front: {image: x, network_mode: host}}",
            r"the service 'front' .* has `network_mode: host`, so it has no ports and links",
        ),
    ],
)
async def test_a_file_that_cannot_be_played_is_a_sentence(
    bazaar: Path, workspace: Workspace, text: str, message: str
) -> None:
    plan = plan_of(bazaar)
    (bazaar / "docker-compose.yaml").write_text(f"{text}\n")
    driver = ComposeDriver(plan, workspace, workspace.folder / "logs", print)
    with pytest.raises(UsageError, match=message):
        await driver.prepare()
    await driver.stop()
