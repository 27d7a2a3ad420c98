import os
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from chaoskit.faults.server import ProxyServer, start_server
from tests.faults.support import plan_of


def require(kind: str) -> None:
    """Skip where a kind of server is not there, unless this run must have it (CHAOSKIT_REQUIRE)."""
    if kind == "real" and shutil.which("toxiproxy-server") is None:
        if "toxiproxy" in os.environ.get("CHAOSKIT_REQUIRE", ""):
            pytest.fail("CHAOSKIT_REQUIRE asks for toxiproxy, but toxiproxy-server is not on PATH")
        pytest.skip("toxiproxy-server is not on PATH")
    if kind == "embedded" and find_spec("chaoskit.proxy") is None:
        pytest.skip("the embedded server is not built yet")


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.toxiproxy), "embedded"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProxyServer]:
    require(request.param)
    running = await start_server(plan_of(), prefer=request.param, log=tmp_path / "proxy.log")
    yield running
    await running.stop()
