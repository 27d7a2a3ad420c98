"""The docker driver on a real engine, with a tiny image."""

import asyncio
import gc
import json
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import httpx
import psutil
import pytest
from docker.models.containers import Container

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment import Workspace
from chaoskit.environment.docker import remains, vitals
from chaoskit.errors import RestoreFailed, SetupFailed
from chaoskit.ports import is_listening
from tests.environment.docker.conftest import Contain, Prepare, Relay, address_of, ask, regional_plan
from tests.support.small_plan import plan_of

pytestmark = pytest.mark.docker


async def environment_of(address: Address) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await ask(address, "/environment"))
    return found


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the state of another program
            await asyncio.sleep(0.02)


async def test_a_plan_comes_up_in_order_on_networks_of_its_regions_and_goes_down(
    contain: Contain, prepare: Prepare, workspace: Workspace, engine: docker.DockerClient, tmp_path: Path
) -> None:
    driver = prepare(regional_plan(contain))
    layout = await driver.prepare()
    await driver.start()
    assert driver.instances.keys() == {"front", "store@east", "store@west"}
    assert all(address.host == "127.0.0.1" for ports in layout.ports.values() for address in ports.values())
    front = await environment_of(address_of(driver, "front"))
    stores = [await environment_of(address_of(driver, f"store@{region}")) for region in ("east", "west")]
    assert all(store["started"] < front["started"] for store in stores)
    east, west = (layout.links[f"front->store@{region}"] for region in ("east", "west"))
    assert f"east={east.near},west={west.near}" in front["argv"]
    assert east.upstream.port == 8000
    assert await environment_of(east.upstream) == stores[0], "the proxy's way leads to the container itself"
    assert "CHAOSKIT_RUN" not in front

    found = [str(remnant).partition(" of run")[0] for remnant in remains.find(engine, workspace.run_id)]
    made = [one.replace(f"chaoskit-{workspace.run_id}", "RUN") for one in found]
    assert sorted(made) == [
        "container RUN.front",
        "container RUN.store.east",
        "container RUN.store.west",
        "network RUN-common",
        "network RUN.east",
        "network RUN.west",
        "volume RUN.front",
        "volume RUN.store.east",
        "volume RUN.store.west",
    ]
    await driver.stop()
    await driver.stop()
    assert driver.instances == {}
    assert not any(is_listening(address) for ports in layout.ports.values() for address in ports.values())
    assert remains.find(engine, workspace.run_id) == []


async def test_a_container_may_do_and_use_little(
    contain: Contain, prepare: Prepare, engine: docker.DockerClient
) -> None:
    front = contain("front", cpus=0.5, memory_bytes=64 * 2**20, pids=77, writable=("/var/cache",))
    driver = prepare(plan_of([front]))
    await driver.prepare()
    await driver.start()
    container = engine.containers.get(driver.instances["front"].container_id)
    host, config = container.attrs["HostConfig"], container.attrs["Config"]
    assert config["User"] == "65534:65534"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"]["Name"] == "no"
    assert (host["CpuQuota"] / host["CpuPeriod"], host["Memory"], host["MemorySwap"]) == (0.5, 2**26, 2**26)
    assert host["PidsLimit"] == 77
    assert host["LogConfig"]["Config"]["max-size"]

    def run(*command: str) -> str:
        answer = container.exec_run(list(command))
        return str(answer.output.decode()).strip() + ("" if answer.exit_code == 0 else " (failed)")

    workdir = (await environment_of(address_of(driver, "front")))["WORK"]
    write = "import sys; open(sys.argv[1] + '/probe', 'w').write('x')"
    for folder in (workdir, "/tmp", "/var/cache"):
        assert run("python", "-c", write, folder) == ""
    assert "Read-only file system" in run("python", "-c", write, "/var")
    status = run("python", "-c", "print(open('/proc/self/status').read())")
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    await driver.stop()


async def test_the_process_of_a_container_is_known_where_the_engine_shares_this_host(
    contain: Contain, prepare: Prepare, engine: docker.DockerClient
) -> None:
    driver = prepare(plan_of([contain("front")]))
    await driver.prepare()
    await driver.start()
    process_id = driver.instances["front"].process_id
    assert (process_id is not None) == containers.shares_network(engine)
    if process_id is not None:
        root = psutil.Process(process_id)
        commands = [" ".join(one.cmdline()) for one in (root, *root.children(recursive=True))]
        assert any("/component.py" in command for command in commands)
    await driver.stop()


async def test_an_engine_in_a_virtual_machine_is_reached_by_ports_and_leads_back_by_a_name(
    contain: Contain, prepare: Prepare, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine says of itself decides, also where the addresses of its networks happen to be ours."""
    monkeypatch.setattr(containers, "place", lambda _: "virtual machine")
    driver = prepare(regional_plan(contain))
    layout = await driver.prepare()
    east = layout.links["front->store@east"]
    assert (east.listen.host, east.near.host) == ("127.0.0.1", "host.docker.internal")
    assert east.listen.port == east.near.port
    assert east.upstream == layout.ports["store@east"]["http"]
    await driver.start()
    front = engine.containers.get(driver.instances["front"].container_id)
    assert front.attrs["HostConfig"]["ExtraHosts"] == ["host.docker.internal:host-gateway"]
    await driver.stop()


async def test_an_engine_that_is_elsewhere_is_refused(
    contain: Contain, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "place", lambda _: "elsewhere")
    driver = prepare(regional_plan(contain))
    with pytest.raises(SetupFailed, match="would not reach the proxies: the engine is on another host, or without"):
        await driver.prepare()
    await driver.stop()


async def test_regions_meet_in_proxies_only(contain: Contain, prepare: Prepare, engine: docker.DockerClient) -> None:
    driver = prepare(regional_plan(contain))
    layout = await driver.prepare()
    await driver.start()
    front, east = (engine.containers.get(driver.instances[name].container_id) for name in ("front", "store@east"))
    (network,) = east.attrs["NetworkSettings"]["Networks"].values()
    near = layout.links["front->store@east"].near
    connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)"
    with socket.socket() as proxy:
        proxy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        proxy.bind(layout.links["front->store@east"].listen)
        proxy.listen()
        through = await asyncio.to_thread(front.exec_run, ["python", "-c", connect, near.host, str(near.port)])
    past = await asyncio.to_thread(front.exec_run, ["python", "-c", connect, network["IPAddress"], "8000"])
    assert (through.exit_code, past.exit_code) == (0, 1)
    await driver.stop()


async def test_a_container_that_fails_says_which_and_why_and_takes_the_others_down(
    contain: Contain, prepare: Prepare, tmp_path: Path
) -> None:
    driver = prepare(plan_of([contain("front", "--crash", "no licence found"), contain("store@east")]))
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"(?s)front did not come up: it exited with 1.*no licence found"):
        await driver.start()
    assert driver.instances == {}
    assert (tmp_path / "logs" / "front.log").read_text() == "no licence found\n"


async def test_readiness_has_a_deadline(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front", "--deaf", timeout_s=0.5)]))
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"front did not become ready: .*/ready is not ready after 0.5s"):
        await driver.start()


async def test_a_port_that_is_published_but_not_listened_on_is_not_ready(contain: Contain, prepare: Prepare) -> None:
    deaf = contain("front", "--deaf", timeout_s=0.5)
    assert deaf.ready is not None
    driver = prepare(plan_of([replace(deaf, ready=replace(deaf.ready, path=None))]))
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"does not accept connections after 0.5s \(it hangs up at once\)"):
        await driver.start()


async def test_a_program_that_is_missing_is_named(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front", command=("/no/such/program",))]))
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"(?s)front did not come up: .*/no/such/program"):
        await driver.start()


async def test_a_taken_port_is_one_clear_sentence(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front")]))
    address = (await driver.prepare()).ports["front"]["http"]
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(address)
        thief.listen()
        with pytest.raises(SetupFailed, match=rf"another program took a port of front \({re.escape(str(address))}\)"):
            await driver.start()


async def test_a_death_in_mid_run_is_reported_with_its_last_words(
    contain: Contain, prepare: Prepare, engine: docker.DockerClient
) -> None:
    driver = prepare(plan_of([contain("front"), contain("store@east"), contain("hog", memory_bytes=48 * 2**20)]))
    await driver.prepare()
    await driver.start()
    store, hog = driver.instances["store@east"].container_id, address_of(driver, "hog")
    with pytest.raises(httpx.HTTPError):
        await ask(address_of(driver, "front"), "/die")
    death = await asyncio.wait_for(driver.watch(), 10)
    assert (death.instance, death.exit_code) == ("front", 7)
    assert "asked to die" in str(death)

    engine.containers.get(store).kill()
    assert "store@east was killed by SIGKILL" in str(await asyncio.wait_for(driver.watch(), 10))
    with pytest.raises(httpx.HTTPError):
        await ask(hog, f"/eat/{2**27}")
    death = await asyncio.wait_for(driver.watch(), 10)
    assert "hog was killed because it used more memory than its limit" in str(death)
    assert driver.instances == {}
    await driver.stop()


@pytest.mark.parametrize(("path", "exit_code", "out_of_memory"), [("/die", 7, False), (f"/eat/{2**27}", -9, True)])
async def test_a_death_is_told_as_it_was_also_where_the_container_is_back_before_it_is_looked_at(
    contain: Contain,
    prepare: Prepare,
    engine: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    exit_code: int,
    out_of_memory: bool,
) -> None:
    driver = prepare(plan_of([contain("front", memory_bytes=48 * 2**20)]))
    await driver.prepare()
    await driver.start()
    engine.containers.get(driver.instances["front"].container_id).update(restart_policy={"Name": "always"})
    look = vitals.state_of

    def look_late(container: Container) -> Mapping[str, Any]:
        while not container.attrs["RestartCount"] or not container.attrs["State"]["Running"]:
            container.reload()
        return look(container)

    monkeypatch.setattr(vitals, "state_of", look_late)
    with pytest.raises(httpx.HTTPError):
        await ask(address_of(driver, "front"), path)
    death = await asyncio.wait_for(driver.watch(), 20)
    assert (death.exit_code, death.out_of_memory) == (exit_code, out_of_memory)
    await driver.stop()


async def test_an_asked_for_stop_is_no_death(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front")]))
    await driver.prepare()
    await driver.start()
    watch = asyncio.create_task(driver.watch())
    await driver.stop()
    await asyncio.sleep(0)
    assert not watch.done()
    watch.cancel()


@pytest.mark.parametrize("step", ["prepare", "start"])
async def test_a_cancelled_bring_up_leaves_nothing(
    contain: Contain, prepare: Prepare, workspace: Workspace, engine: docker.DockerClient, step: str
) -> None:
    driver = prepare(plan_of([contain("front", "--deaf"), contain("store@east")]))
    if step == "start":
        await driver.prepare()
    bringing_up = asyncio.create_task(driver.prepare() if step == "prepare" else driver.start())
    kinds = {"prepare": "network", "start": "container"}
    await until(lambda: any(one.kind == kinds[step] for one in remains.find(engine, workspace.run_id)))
    bringing_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bringing_up
    await driver.stop()
    assert remains.find(engine, workspace.run_id) == []


async def test_a_stop_that_is_cancelled_skips_the_grace_and_leaves_nothing(
    contain: Contain, prepare: Prepare, workspace: Workspace, engine: docker.DockerClient
) -> None:
    driver = prepare(plan_of([contain("front", "--ignore-term"), contain("store@east")]))
    await driver.prepare()
    await driver.start()
    stopping = asyncio.create_task(driver.stop())
    await asyncio.wait([stopping], timeout=0.5)  # `front` is to have its SIGTERM, which it does not heed
    assert not stopping.done()
    assert remains.find(engine, workspace.run_id)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert remains.find(engine, workspace.run_id) == []
    await driver.stop()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, where it cannot connect
async def test_a_hurried_stop_of_an_engine_that_is_gone_says_what_may_be_left(
    contain: Contain, prepare: Prepare, workspace: Workspace, engine: docker.DockerClient, relay: Relay
) -> None:
    driver = prepare(plan_of([contain("front", "--ignore-term")]))
    await driver.prepare()
    await driver.start()
    stopping = asyncio.create_task(driver.stop())
    await asyncio.wait([stopping], timeout=0.5)
    await relay.close()
    stopping.cancel()
    with pytest.raises(RestoreFailed, match=rf"run {workspace.run_id} may be left .*chaoskit clean"):
        await stopping
    for remnant in remains.find(engine, workspace.run_id):
        remnant.remove(engine)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, where it cannot connect
async def test_no_engine_is_one_clear_sentence(
    contain: Contain, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    driver = prepare(plan_of([contain("front")]))
    with pytest.raises(SetupFailed, match="no Docker engine answers"):
        await driver.prepare()
    await driver.stop()
    gc.collect()


async def test_an_image_that_cannot_be_had_is_named(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front", build=None, image="127.0.0.1:9/no-such-image:1")]))
    with pytest.raises(SetupFailed, match=r"the image 127.0.0.1:9/no-such-image:1 is not there and cannot be pulled"):
        await driver.prepare()
    await driver.stop()


async def test_the_provenance_names_engine_and_images(contain: Contain, prepare: Prepare) -> None:
    driver = prepare(plan_of([contain("front")]))
    await driver.prepare()
    await driver.start()
    assert driver.provenance["engine"]["version"]
    image = driver.provenance["images"]["front"]
    assert image["image"].startswith("chaoskit/toy:")
    assert image["digest"].startswith("sha256:")
    await driver.stop()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the SDK's, where it cannot connect
async def test_an_engine_that_stops_ends_the_watch_and_what_it_leaves_is_told(
    contain: Contain, prepare: Prepare, workspace: Workspace, engine: docker.DockerClient, relay: Relay
) -> None:
    """The relay is closed: for the driver the engine has stopped, while its containers live."""
    driver = prepare(plan_of([contain("front")]))
    await driver.prepare()
    await driver.start()
    await relay.close()
    with pytest.raises(SetupFailed, match="the Docker engine has stopped"):
        await asyncio.wait_for(driver.watch(), 10)
    with pytest.raises(RestoreFailed, match=rf"run {workspace.run_id} may be left .*chaoskit clean"):
        await driver.stop()
    left = remains.find(engine, workspace.run_id)
    assert [one.kind for one in left] == ["container", "network", "volume"]
    for remnant in left:
        remnant.remove(engine)
