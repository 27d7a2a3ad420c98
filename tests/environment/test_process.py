import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chaoskit.address import Address
from chaoskit.environment import ProcessDriver, Workspace
from chaoskit.environment.labels import find_labelled
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan
from chaoskit.ports import is_listening
from tests.support.small_plan import instance, plan_of, small_plan


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace whose run must have left no process behind when the test ends."""
    workspace = Workspace.create(os.urandom(4).hex(), tmp_path)
    yield workspace
    assert [found for found in find_labelled() if found.label.run_id == workspace.run_id] == []


def driver_of(plan: Plan, workspace: Workspace) -> ProcessDriver:
    return ProcessDriver(plan, workspace, workspace.folder / "logs")


async def environment_of(address: Address) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer: dict[str, str] = (await client.get(f"http://{address}/environment")).json()
        return answer


async def test_a_plan_comes_up_in_order_and_goes_down(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "do not pass me on")
    driver = driver_of(small_plan(), workspace)
    layout = await driver.prepare()
    await driver.start()
    assert driver.instances.keys() == {"front", "store@east", "store@west"}
    front = await environment_of(layout.ports["front"]["http"])
    stores = [await environment_of(layout.ports[f"store@{region}"]["http"]) for region in ("east", "west")]
    assert all(store["started"] < front["started"] for store in stores)
    assert front["CHAOSKIT_RUN"] == workspace.run_id
    assert (front["SIZE"], front["SLOW"]) == ("4", "true")
    assert Path(front["WORK"]).is_relative_to(workspace.folder)
    assert "SECRET_TOKEN" not in front
    east, west = (layout.links[f"front->store@{region}"].listen for region in ("east", "west"))
    assert f"east={east},west={west}" in front["argv"]
    assert layout.links["front->store@east"].upstream == layout.ports["store@east"]["http"]

    await driver.stop()
    await driver.stop()
    assert driver.instances == {}
    assert not any(is_listening(address) for ports in layout.ports.values() for address in ports.values())


async def test_a_component_that_fails_says_which_and_why_and_takes_the_others_down(workspace: Workspace) -> None:
    plan = small_plan()
    broken = instance("front", "--crash", "no licence found", links=plan.instances[0].links)
    driver = driver_of(plan_of([broken, *plan.instances[1:]], plan.links), workspace)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"(?s)front did not come up: it exited with 1.*no licence found"):
        await driver.start()
    assert driver.instances == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-first", "1000000"], r"front did not become ready: .*/ready is not ready after 0.5s \(status 503\)"),
        (["--deaf"], r"front did not become ready"),
        (["{links.nowhere}"], r"command of front uses \{links.nowhere\}, which is unknown; known are .*ports.http"),
    ],
)
async def test_readiness_has_a_deadline(workspace: Workspace, arguments: list[str], message: str) -> None:
    driver = driver_of(plan_of([instance("front", *arguments, timeout_s=0.5)]), workspace)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=message):
        await driver.start()


async def test_a_slow_starter_is_waited_for(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front", "--fail-first", "3")]), workspace)
    await driver.prepare()
    await driver.start()
    await driver.stop()


async def test_a_program_that_is_missing_is_named(workspace: Workspace) -> None:
    plan = plan_of([instance("front")])
    missing = plan.instances[0].__class__(
        **{
            field: getattr(plan.instances[0], field)
            for field in plan.instances[0].__dataclass_fields__
            if field != "command"
        },
        command=("/no/such/program",),
    )
    driver = driver_of(plan_of([missing]), workspace)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"front cannot be started: .*/no/such/program"):
        await driver.start()


async def test_a_death_in_mid_run_is_reported_with_its_last_words(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front"), instance("store@east")]), workspace)
    layout = await driver.prepare()
    await driver.start()
    with pytest.raises(httpx.HTTPError):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://{layout.ports['front']['http']}/die")
    death = await asyncio.wait_for(driver.watch(), 5)
    assert (death.instance, death.exit_code) == ("front", 7)
    assert "asked to die" in str(death)

    process_id = driver.instances["store@east"].process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    assert "store@east was killed by SIGKILL" in str(await asyncio.wait_for(driver.watch(), 5))
    await driver.stop()


async def test_an_asked_for_stop_is_no_death(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front")]), workspace)
    await driver.prepare()
    await driver.start()
    watch = asyncio.create_task(driver.watch())
    await driver.stop()
    await asyncio.sleep(0)
    assert not watch.done()
    watch.cancel()


async def test_a_taken_port_is_one_clear_sentence(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front")]), workspace)
    address = (await driver.prepare()).ports["front"]["http"]
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(address)
        thief.listen()
        with pytest.raises(SetupFailed, match=re.escape(f"another program took {address} before front could")):
            await driver.start()


async def test_a_server_that_cannot_share_its_port_gets_it_in_the_second_try(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front", "--no-reuse")]), workspace)
    address = (await driver.prepare()).ports["front"]["http"]
    await driver.start()
    assert is_listening(address)
    await driver.stop()


@pytest.mark.parametrize("arguments", [["--stray"], ["--ignore-term"]])
async def test_nothing_survives_a_stop(
    workspace: Workspace, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaoskit.environment.child.TERMINATE_TIMEOUT_S", 0.2)
    driver = driver_of(plan_of([instance("front", *arguments)]), workspace)
    await driver.prepare()
    await driver.start()
    await driver.stop()


async def test_a_cancelled_start_leaves_nothing(workspace: Workspace) -> None:
    driver = driver_of(plan_of([instance("front", "--deaf", "--stray")]), workspace)
    layout = await driver.prepare()
    start = asyncio.create_task(driver.start())
    async with asyncio.timeout(10):
        while len([found for found in find_labelled() if found.label.run_id == workspace.run_id]) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not is_listening(layout.ports["front"]["http"])


async def test_json_in_a_command_is_left_alone(workspace: Workspace) -> None:
    text = json.dumps({"a": {"b": 1}})
    driver = driver_of(plan_of([instance("front", text)]), workspace)
    layout = await driver.prepare()
    await driver.start()
    assert text in (await environment_of(layout.ports["front"]["http"]))["argv"]
    await driver.stop()
