"""What the process driver can do to a running instance: the contract of `chaoskit.faults.control.Control`."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from chaoskit.environment import ProcessDriver, Workspace
from chaoskit.environment.control_group import find_groups
from chaoskit.environment.labels import find_labelled
from chaoskit.errors import FaultFailed
from chaoskit.faults.control import Control
from chaoskit.plan.model import Plan, PlannedFault
from chaoskit.records import Vitals
from tests.support.small_plan import instance, plan_of

LIMIT = PlannedFault("cpu_limit", "cpu_limit", "", {}, (), None, "front", "surge", 0.0, 1.0, ("front",))


class Up:
    """A driver whose one instance, `front`, is up."""

    def __init__(self, driver: ProcessDriver, workspace: Workspace) -> None:
        self.driver = driver
        self.workspace = workspace
        self.port = 0

    async def ask(self, path: str, timeout_s: float = 2.0) -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s)).text

    def processes(self) -> list[psutil.Process]:
        return [found.process for found in find_labelled() if found.label.run_id == self.workspace.run_id]

    async def until(self, holds: Callable[[Vitals], bool]) -> Vitals:
        async with asyncio.timeout(10):
            while not holds(seen := await self.driver.vitals("front")):  # noqa: ASYNC110 - the state of a process
                await asyncio.sleep(0.01)
        return seen


@pytest.fixture
async def up(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Up]:
    """`front`, started with the arguments of the test's parameter; nothing of it may be left afterwards."""
    arguments: list[str] = getattr(request, "param", [])
    plan: Plan = plan_of([instance("front", *(one for one in arguments if one != "limited"))])
    if "limited" in arguments:
        plan = replace(plan, faults=(LIMIT,))
    workspace = Workspace.create(os.urandom(4).hex(), tmp_path)
    driver = ProcessDriver(plan, workspace, tmp_path / "logs")
    on = Up(driver, workspace)
    on.port = (await driver.prepare()).ports["front"]["http"].port
    await driver.start()
    yield on
    await driver.stop()
    assert on.processes() == []
    assert [group for group in find_groups() if group.run_id == workspace.run_id] == []


def test_the_process_driver_has_control(tmp_path: Path) -> None:
    assert isinstance(ProcessDriver(plan_of([]), Workspace(tmp_path), tmp_path), Control)


@pytest.mark.parametrize("up", [["--stray"]], indirect=True)
async def test_a_kill_ends_every_process_and_is_no_death(up: Up) -> None:
    assert (await up.driver.vitals("front")).processes == 2
    watching = asyncio.create_task(up.driver.watch())
    await up.driver.halt("front", gently=False)
    assert up.processes() == []
    assert up.driver.instances == {}
    gone = await up.driver.vitals("front")
    assert (gone.state, gone.exit_code, gone.processes) == ("exited", -signal.SIGKILL, 0)

    await up.driver.start_again("front")
    assert await up.ask("/ready") == "ready"
    back = await up.driver.vitals("front")
    assert (back.state, back.exit_code, back.processes) == ("running", None, 2)
    assert not watching.done()

    os.kill(up.driver.instances["front"].process_id or 0, signal.SIGTERM)
    assert (await asyncio.wait_for(watching, 5)).exit_code == -signal.SIGTERM


async def test_a_gentle_halt_asks_first(up: Up) -> None:
    await up.driver.halt("front", gently=True)
    assert (await up.driver.vitals("front")).exit_code == -signal.SIGTERM


@pytest.mark.parametrize("up", [["--stray"]], indirect=True)
async def test_a_pause_stops_every_process_in_whatever_session(up: Up) -> None:
    await up.driver.pause("front")
    await up.driver.pause("front")
    assert {process.status() for process in up.processes()} == {psutil.STATUS_STOPPED}
    assert (await up.driver.vitals("front")).state == "paused"
    with pytest.raises(httpx.TimeoutException):
        await up.ask("/ready", timeout_s=0.2)
    await up.driver.resume("front")
    assert await up.ask("/ready") == "ready"
    assert (await up.driver.vitals("front")).state == "running"


@pytest.mark.parametrize("up", [["--stray"]], indirect=True)
@pytest.mark.parametrize("gently", [True, False])
async def test_what_is_paused_can_be_halted_and_stopped_all_the_same(up: Up, gently: bool) -> None:
    await up.driver.pause("front")
    began_s = time.monotonic()
    await up.driver.halt("front", gently=gently)
    await up.driver.start_again("front")
    await up.driver.pause("front")
    await up.driver.stop()
    assert time.monotonic() - began_s < 8


@pytest.mark.parametrize("up", [["limited", "--stray"]], indirect=True)
async def test_a_cpu_limit_holds_for_all_processes_and_across_a_restart(up: Up) -> None:
    await up.driver.limit("front", 0.2, None)
    await up.driver.halt("front", gently=False)
    await up.driver.start_again("front")
    for _ in range(2):
        await up.ask("/burn")
    before, began_s = await up.driver.vitals("front"), time.monotonic()
    after = await up.until(lambda _: time.monotonic() - began_s > 1.0)
    assert after.cpu_s - before.cpu_s == pytest.approx(0.2, abs=0.12)
    await up.driver.limit("front", None, None)
    assert await up.ask("/ready") == "ready"


@pytest.mark.parametrize("up", [["limited"]], indirect=True)
async def test_a_memory_limit_that_kills_is_no_death_by_itself(up: Up) -> None:
    watching = asyncio.create_task(up.driver.watch())
    limit_bytes = (await up.driver.vitals("front")).memory_bytes + 20_000_000
    await up.driver.limit("front", None, limit_bytes)
    await up.ask("/eat/5000000")
    fed = await up.driver.vitals("front")
    assert (fed.state, fed.oom_kills) == ("running", 0)
    assert 5_000_000 <= (fed.peak_bytes or 0) <= limit_bytes
    with pytest.raises(httpx.HTTPError):
        await up.ask("/eat/100000000")
    killed = await up.until(lambda seen: seen.state == "oom_killed")
    assert (killed.exit_code, killed.oom_kills) == (-signal.SIGKILL, 1)
    await up.driver.limit("front", None, None)
    await up.driver.start_again("front")
    assert (await up.driver.vitals("front")).state == "running"
    assert not watching.done()
    watching.cancel()


async def test_an_instance_that_no_fault_will_limit_has_no_group(up: Up) -> None:
    with pytest.raises(FaultFailed, match="declare the limit in the scenario's faults"):
        await up.driver.limit("front", 0.5, None)


async def test_one_that_does_not_come_back_says_why(up: Up) -> None:
    await up.driver.halt("front", gently=False)
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", up.port))
        thief.listen()
        with pytest.raises(FaultFailed, match="it did not come back: another program took"):
            await up.driver.start_again("front")
    await up.driver.start_again("front")
    assert await up.ask("/ready") == "ready"
