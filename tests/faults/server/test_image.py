"""The container of Toxiproxy's image: its rights, its labels, and that none is left."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.faults.server import IMAGE, ProxyServer, start_server
from tests.faults.support import link, plan_of
from tests.support.silent_registry import silent_registry

pytestmark = pytest.mark.toxiproxy_image
Engine: TypeAlias = Any  # docker's client has no types
RUNNER = '{"process_id": 1}'


@pytest.fixture
def engine() -> Iterator[Engine]:
    client = containers.connect()
    yield client
    client.close()


@pytest.fixture
def label() -> dict[str, str]:
    return {"CHAOSKIT_RUN": f"test-{secrets.token_hex(4)}", "CHAOSKIT_RUNNER": RUNNER}


def of_run(engine: Engine, label: dict[str, str]) -> list[Any]:
    return list(
        engine.containers.list(
            all=True, ignore_removed=True, filters={"label": f"chaoskit.run={label['CHAOSKIT_RUN']}"}
        )
    )


@pytest.fixture
async def server(label: dict[str, str], tmp_path: Path) -> AsyncIterator[ProxyServer]:
    running = await start_server(
        plan_of(), prefer="image", log=tmp_path / "proxy.log", environment={**label, "LOG_LEVEL": "info"}
    )
    yield running
    await running.stop()


async def test_it_has_no_rights_and_the_runs_labels(server: ProxyServer, engine: Engine, label: dict[str, str]) -> None:
    (container,) = of_run(engine, label)
    assert container.labels["chaoskit.runner"] == RUNNER
    assert container.labels["chaoskit.instance"] == "toxiproxy"
    host = container.attrs["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("host", True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    process = psutil.Process(server.process_id)
    assert set(process.uids()) == set(process.gids()) == {65534}


async def test_its_log_is_kept_and_no_container(
    server: ProxyServer, engine: Engine, label: dict[str, str], tmp_path: Path
) -> None:
    await server.restart()
    assert len(of_run(engine, label)) == 1
    await server.stop()
    assert of_run(engine, label) == []
    assert (tmp_path / "proxy.log").read_text().count("Starting Toxiproxy HTTP server") == 2


async def test_a_container_that_somebody_else_removed_is_no_trouble(
    server: ProxyServer, engine: Engine, label: dict[str, str]
) -> None:
    of_run(engine, label)[0].remove(force=True)
    await server.restart()
    assert await server.client.list() == {}


async def test_a_bring_up_that_is_cancelled_leaves_no_container(
    engine: Engine, label: dict[str, str], tmp_path: Path
) -> None:
    starting = asyncio.create_task(
        start_server(plan_of(), prefer="image", log=tmp_path / "proxy.log", environment=label)
    )
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(of_run, engine, label):
            pass
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert of_run(engine, label) == []


def low_port() -> int:
    """Return a port below 1024 at which nobody listens."""
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("all low ports are taken")


async def test_it_listens_below_1024_where_a_link_has_to_be_there(
    engine: Engine, label: dict[str, str], tmp_path: Path
) -> None:
    listen = Address("127.0.0.1", low_port())
    plan = plan_of([replace(link(), listen=str(listen))])
    server = await start_server(plan, prefer="image", log=tmp_path / "proxy.log", environment=label)
    try:
        await server.client.create("low", listen, Address("127.0.0.1", 9))
        _, writer = await asyncio.open_connection(*listen)
        writer.close()
        (container,) = of_run(engine, label)
        host = container.attrs["HostConfig"]
        assert (host["CapAdd"], host["CapDrop"]) == (["NET_BIND_SERVICE"], ["ALL"])
    finally:
        await server.stop()


async def test_an_image_that_cannot_be_pulled_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nobody = "127.0.0.1:9/toxiproxy:2.12.0"
    monkeypatch.setattr("chaoskit.faults.server.image.IMAGE", nobody)
    with pytest.raises(SetupFailed, match=f"the image {nobody} cannot be had: .*connection refused"):
        await start_server(plan_of(), prefer="image", log=tmp_path / "proxy.log", environment={})


async def test_a_pull_that_goes_on_is_told_of_and_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    async with silent_registry() as (registry, asked), asyncio.timeout(20):
        slow = f"{registry}/toxiproxy:2.12.0"
        monkeypatch.setattr("chaoskit.faults.server.image.IMAGE", slow)
        starting = asyncio.create_task(
            start_server(plan_of(), prefer="image", log=tmp_path / "proxy.log", environment={}, say=said.append)
        )
        await asked.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert said == [f"pulling the image {slow}"]


async def test_without_an_engine_there_is_no_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(SetupFailed, match="no Docker engine answers"):
        await start_server(plan_of(), prefer="image", log=tmp_path / "proxy.log", environment={})


async def test_an_engine_elsewhere_cannot_run_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "another-machine")
    with pytest.raises(SetupFailed, match=f"{IMAGE} needs a Docker engine that shares this machine's network"):
        await start_server(plan_of(), prefer="image", log=tmp_path / "proxy.log", environment={})
