from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.conftest import BOTH
from tests.faults.support import plan_of

EVERY_KIND = [*BOTH, pytest.param("image", marks=pytest.mark.toxiproxy_image)]


@pytest.fixture(params=EVERY_KIND)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProxyServer]:
    """A server of a test's own, once of each kind that a run can start."""
    running = await start_server(plan_of(), prefer=request.param, log=tmp_path / "proxy.log")
    yield running
    await running.stop()
