"""A tiny image with the tests' component in it, and drivers that must leave nothing of a run in the engine."""

import asyncio
import contextlib
import gc
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import docker
import httpx
import pytest

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment import DockerDriver, Workspace
from chaoskit.environment.docker import remains
from chaoskit.plan.model import Plan, PlannedBuild, PlannedContainer, PlannedInstance
from tests.support.small_plan import COMPONENT, instance, link, plan_of

DOCKERFILE = """\
ARG BASE=python:3.13-slim
FROM ${BASE}
COPY component.py /component.py
"""
TARGET = """\
version: 1
name: tiny
components:
  front:
    entry: true
    container: {build: {}, memory: 128MB}
    command: ["{python}", /component.py, "--host={host}", "--port={ports.http}"]
    ports: {http: {protocol: http}}
    ready: {http: /ready, port: http}
"""
Contain = Callable[..., PlannedInstance]
Prepare = Callable[[Plan], DockerDriver]


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is built as an image of the component; the image stays as a cache, as a user's would."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(COMPONENT, folder / "component.py")
    return folder


@pytest.fixture
def target(context: Path) -> Iterator[Path]:
    """The tiny image's folder as a target; the manifest is no part of the image."""
    path = context / "target.yaml"
    path.write_text(TARGET)
    (context / ".dockerignore").write_text("target.yaml\n.dockerignore\n")
    yield path
    path.unlink()
    (context / ".dockerignore").unlink()


@pytest.fixture
def contain(context: Path) -> Contain:
    """Return a function that makes an instance of the component in a container."""

    def contained(
        name: str,
        *arguments: str,
        links: Mapping[str, tuple[str, ...]] | None = None,
        timeout_s: float = 10.0,
        **of_container: object,
    ) -> PlannedInstance:
        command = ("{python}", "/component.py", "--host={host}", "--port={ports.http}", *arguments)
        planned = PlannedContainer(build=PlannedBuild(str(context)), command=command, ports={"http": 8000})
        planned = replace(planned, **of_container)  # type: ignore[arg-type]
        bare = instance(name, links=links, timeout_s=timeout_s)
        return replace(bare, container=planned, environment={"WORK": "{workdir}"})

    return contained


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine, to look past the driver at what is there."""
    client = containers.connect()
    yield client
    client.close()


@pytest.fixture
async def workspace(tmp_path: Path, engine: docker.DockerClient) -> AsyncIterator[Workspace]:
    """A workspace whose run must have left nothing in the engine when the test ends."""
    workspace = Workspace.create(os.urandom(4).hex(), tmp_path)
    yield workspace
    left = remains.find(engine, workspace.run_id)
    for remnant in left:
        remnant.remove(engine)
    assert [str(remnant) for remnant in left] == []


@pytest.fixture
def prepare(workspace: Workspace, tmp_path: Path) -> Prepare:
    """Return a function that makes a driver; what it says is in its `said`, its logs are in `tmp_path`/logs."""

    def prepared(plan: Plan) -> DockerDriver:
        return DockerDriver(plan, workspace, tmp_path / "logs", lambda _: None)

    return prepared


class Relay:
    """Stands between a driver and the engine's socket, so that the engine can be seen to stop while it does not."""

    def __init__(self, path: Path, upstream: str) -> None:
        self.path = path
        self._upstream = upstream
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    def ask_to_close(self) -> None:
        """Have it closed soon; for callers that cannot wait."""
        self._closing = self._closing or asyncio.create_task(self.close())

    async def close(self) -> None:
        """Break every connection, and take no more."""
        assert self._server
        self._server.close()
        self.path.unlink(missing_ok=True)
        for writer in tuple(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._upstream)
        both = {writer, far_writer}
        self._writers |= both
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= both
        for one in both:
            one.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, engine: docker.DockerClient) -> AsyncIterator[Relay]:
    """A relay that drivers take for the engine; `engine` itself goes past it."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    relay = Relay(tmp_path / "engine.sock", socket)
    await relay.open()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    yield relay
    await relay.close()
    gc.collect()  # sockets of the SDK's that could not connect, while their warning is still ignored


def regional_plan(contain: Contain) -> Plan:
    """Return one `front` that links to a `store` in each of two regions, all contained."""
    links = [link("front", f"store@{region}") for region in ("east", "west")]
    front = contain("front", "--stores", "{links.store}", links={"store": tuple(one.name for one in links)})
    return plan_of([front, contain("store@east"), contain("store@west")], links)


def address_of(driver: DockerDriver, name: str) -> Address:
    """Return where an instance that is up can be asked."""
    return driver.instances[name].ports["http"]


async def ask(address: Address, path: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://{address}{path}", timeout=5)).text
