import asyncio
import socket
from dataclasses import replace

import pytest

from chaoskit.address import Address
from chaoskit.environment import ExternalDriver
from chaoskit.environment import external as external_module
from chaoskit.environment.ports import PortHolder
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan
from tests.support.small_plan import link, plan_of


def plan_to(upstream: Address) -> Plan:
    return replace(plan_of([], [link("client", "api", upstream=str(upstream))]), driver="external")


async def test_only_links_are_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = Address(*server.getsockname())
        driver = ExternalDriver(plan_to(upstream))
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
    driver = ExternalDriver(plan_to(holder.hold()))
    await driver.prepare()
    with pytest.raises(SetupFailed, match=r"link client->api: .* does not accept connections .* start the system"):
        await driver.start()
    await driver.stop()
    holder.release_all()
