import asyncio
import socket
from dataclasses import replace

import pytest

from chaoskit.address import Address
from chaoskit.environment import ExternalDriver
from chaoskit.environment import external as external_module
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan
from chaoskit.ports import PortHolder
from tests.support.small_plan import link, plan_of


def plan_to(upstream: Address) -> Plan:
    return replace(plan_of([], [link("client", "api", upstream=str(upstream))]), driver="external")


def plan_with_database(api: Address, database: Address, listen: Address) -> Plan:
    inner = replace(link("system", "database", upstream=str(database)), listen=str(listen))
    return replace(plan_of([], [link("client", "api", upstream=str(api)), inner]), driver="external")


def ignore(_sentence: str) -> None:
    return


async def test_only_links_are_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = Address(*server.getsockname())
        driver = ExternalDriver(plan_to(upstream), ignore)
        layout = await driver.prepare()
        await driver.start()
        assert layout.links["client->api"].upstream == upstream
        assert layout.links["client->api"].listen.host == "127.0.0.1"
        assert driver.instances == {}
        watch = asyncio.create_task(driver.watch())
        await driver.stop()
        await driver.stop()
        await asyncio.sleep(0)
        assert not watch.done()
        watch.cancel()


async def test_a_target_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_module, "REACH_TIMEOUT_S", 0.2)
    holder = PortHolder()
    driver = ExternalDriver(plan_to(holder.hold()), ignore)
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"link client->api: .* does not accept connections .* start the system"):
        await driver.start()
    await driver.stop()
    holder.release_all()


async def test_an_upstream_is_proxied_where_the_system_looks_for_it_and_the_system_may_start_then() -> None:
    holder = PortHolder()
    api, listen = holder.hold(), holder.hold()
    holder.release(listen)
    said = asyncio.Event()
    sentences: list[str] = []

    def say(sentence: str) -> None:
        sentences.append(sentence)
        said.set()

    with socket.create_server(("127.0.0.1", 0)) as database:
        upstream = Address(*database.getsockname())
        driver = ExternalDriver(plan_with_database(api, upstream, listen), say)
        layout = await driver.prepare()
        assert layout.links["system->database"].listen == listen
        assert layout.links["system->database"].upstream == upstream
        starting = asyncio.create_task(driver.start())
        await said.wait()
        assert f"there is system->database at {listen}" in sentences[0]
        with socket.create_server(api, reuse_port=True):
            await starting
    await driver.stop()
    holder.release_all()


async def test_a_listen_port_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        taken = Address(*other.getsockname())
        driver = ExternalDriver(plan_with_database(Address("127.0.0.1", 1), Address("127.0.0.1", 2), taken), ignore)
        with pytest.raises(
            SetupFailed, match=rf"link system->database: its proxy cannot listen at {taken} \((Address already|another)"
        ):
            await driver.prepare()
    await driver.stop()


async def test_an_address_that_is_not_ours_is_a_sentence() -> None:
    plan = plan_with_database(Address("127.0.0.1", 1), Address("127.0.0.1", 2), Address("10.255.255.1", 15432))
    driver = ExternalDriver(plan, ignore)
    with pytest.raises(SetupFailed, match=r"cannot listen at 10.255.255.1:15432 \(Cannot assign requested address\)"):
        await driver.prepare()
    await driver.stop()
