"""What the docker driver can do to a running instance: the contract of `chaoskit.faults.control.Control`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import docker
import httpx
import pytest

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment import DockerDriver, release
from chaoskit.errors import FaultFailed
from chaoskit.faults.control import Control
from chaoskit.observe.containers import ContainerReader
from chaoskit.ports import LOOPBACK, PortHolder, is_listening
from chaoskit.records import Vitals
from tests.environment.docker.conftest import Contain, Prepare, address_of, ask
from tests.support.small_plan import plan_of

pytestmark = pytest.mark.docker
MIB = 2**20


@pytest.fixture
async def up(contain: Contain, prepare: Prepare) -> AsyncIterator[DockerDriver]:
    """A driver whose one instance, `front`, is up; nothing of it may be left afterwards."""
    driver = prepare(plan_of([contain("front", memory_bytes=256 * MIB)]))
    await driver.prepare()
    await driver.start()
    yield driver
    await driver.stop()


async def until(driver: DockerDriver, holds: Callable[[Vitals], bool]) -> Vitals:
    async with asyncio.timeout(10):
        while not holds(seen := await driver.vitals("front")):  # noqa: ASYNC110 - the state of a container
            await asyncio.sleep(0.02)
    return seen


async def answers(address: Address) -> bool:
    try:
        return await ask(address, "/ready") == "ready"
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("gently", [True, False])
async def test_halt_and_start_again_keep_address_and_files(up: DockerDriver, gently: bool) -> None:
    assert isinstance(up, Control)
    address, container_id = address_of(up, "front"), up.instances["front"].container_id
    client = containers.connect()
    write = "import os; open(os.environ['WORK'] + '/kept', 'w').write('x')"
    assert client.containers.get(container_id).exec_run(["python", "-c", write]).exit_code == 0
    watch = asyncio.create_task(up.watch())
    await up.halt("front", gently)
    await up.halt("front", gently)
    assert not is_listening(address)
    seen = await up.vitals("front")
    assert (seen.state, seen.exit_code) == ("exited", -15 if gently else -9)
    assert up.instances == {}
    await up.start_again("front")
    assert await answers(address)
    read = "import os; open(os.environ['WORK'] + '/kept')"
    assert client.containers.get(container_id).exec_run(["python", "-c", read]).exit_code == 0
    client.close()
    assert (await up.vitals("front")).state == "running"
    assert not watch.done()
    with pytest.raises(httpx.HTTPError):
        await ask(address, "/die")
    assert (await asyncio.wait_for(watch, 10)).exit_code == 7  # what nobody asked for is a death again


async def test_pause_and_resume(up: DockerDriver) -> None:
    await up.pause("front")
    await up.pause("front")
    assert (await up.vitals("front")).state == "paused"
    asked = asyncio.create_task(ask(address_of(up, "front"), "/ready"))
    await up.resume("front")
    await up.resume("front")
    assert await asked == "ready"
    await up.pause("front")
    await up.halt("front", False)
    await up.start_again("front")
    await up.pause("front")  # and it is stopped all the same


async def test_what_stands_still_goes_on_once_its_run_is_released(up: DockerDriver) -> None:
    await up.pause("front")
    await asyncio.to_thread(release.release, up._run_id)
    assert await ask(address_of(up, "front"), "/ready") == "ready"


async def test_a_memory_limit_kills_and_is_no_death(up: DockerDriver) -> None:
    watch = asyncio.create_task(up.watch())
    await up.limit("front", None, 48 * MIB)
    with pytest.raises(httpx.HTTPError):
        await ask(address_of(up, "front"), f"/eat/{96 * MIB}")
    seen = await until(up, lambda vitals: vitals.state == "oom_killed")
    assert seen.oom_kills
    await up.limit("front", None, None)
    await up.start_again("front")
    await ask(address_of(up, "front"), f"/eat/{96 * MIB}")
    assert (await up.vitals("front")).memory_bytes > 96 * MIB
    assert not watch.done()
    watch.cancel()


async def test_a_cpu_limit_holds_and_is_lifted(up: DockerDriver, engine: docker.DockerClient) -> None:
    await up.limit("front", 0.1, None)
    await ask(address_of(up, "front"), "/burn")
    before = await up.vitals("front")
    begun_s = asyncio.get_running_loop().time()
    await asyncio.sleep(1.0)  # what is measured is what it uses in a second
    after = await up.vitals("front")
    took_s = asyncio.get_running_loop().time() - begun_s
    assert (after.cpu_s - before.cpu_s) / took_s < 0.3
    await up.limit("front", None, None)
    host = engine.containers.get(up.instances["front"].container_id).attrs["HostConfig"]
    assert (host["CpuQuota"], host["Memory"]) == (-1, 256 * MIB)


async def test_the_engine_counts_what_cannot_be_seen_from_here(up: DockerDriver) -> None:
    container_id = up.instances["front"].container_id
    assert container_id is not None
    reader = ContainerReader({"front": container_id, "gone": "no-such-container"})
    (before,) = await asyncio.to_thread(lambda: list(reader.read(1.0)))
    await ask(address_of(up, "front"), f"/eat/{32 * MIB}")
    (after,) = await asyncio.to_thread(lambda: list(reader.read(2.0)))
    assert (after.source, after.t_s) == ("front", 2.0)
    assert after.cpu_s > before.cpu_s
    assert after.memory_bytes - before.memory_bytes > 24 * MIB
    reader.close()


async def test_what_the_engine_refuses_is_told(up: DockerDriver) -> None:
    with pytest.raises(FaultFailed, match=r"front cannot be limited: .*[Mm]inimum memory limit"):
        await up.limit("front", None, 1000)


class Yielding(PortHolder):
    """Somebody else has the first port that is let go, and gives it up in that moment."""

    def __init__(self, thief: socket.socket) -> None:
        super().__init__()
        self.held: set[Address] = set()
        self._thief = thief

    def hold(self, host: str = LOOPBACK, port: int = 0) -> Address:
        self.held.add(address := super().hold(host, port))
        return address

    def release(self, address: Address) -> None:
        self.held.discard(address)
        self._thief.close()
        super().release(address)


async def test_a_port_that_was_let_go_for_a_container_is_held_again_while_it_is_halted(
    contain: Contain, prepare: Prepare
) -> None:
    driver = prepare(plan_of([contain("front")]))
    with socket.socket() as thief:
        ports = driver._ports = Yielding(thief)
        address = (await driver.prepare()).ports["front"]["http"]
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(address)
        thief.listen()
        await driver.start()
    assert address not in ports.held
    await driver.halt("front", gently=False)
    assert address in ports.held
    await driver.start_again("front")
    assert await ask(address, "/ready") == "ready"
    await driver.stop()
