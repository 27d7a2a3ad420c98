from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.support import plan_of

BOTH = [pytest.param("real", marks=pytest.mark.toxiproxy), "embedded"]


@pytest.fixture(params=BOTH)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProxyServer]:
    """A server of a test's own, once of each kind."""
    running = await start_server(plan_of(), prefer=request.param, log=tmp_path / "proxy.log")
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BOTH)
async def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ProxyServer]:
    """A server for all tests of a module that leave it running and without proxies, once of each kind."""
    running = await start_server(plan_of(), prefer=request.param, log=tmp_path_factory.mktemp("proxy") / "proxy.log")
    yield running
    await running.stop()
