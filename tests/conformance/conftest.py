"""One suite for every Toxiproxy server: the embedded one and, where present, the real one."""

from collections.abc import Iterator

import pytest

from tests.support.toxiproxy import ToxiproxyServer, running

SERVERS = [
    pytest.param("embedded", id="embedded"),
    pytest.param("real", id="real", marks=pytest.mark.toxiproxy),
]


@pytest.fixture(scope="module", params=SERVERS)
def started(request: pytest.FixtureRequest) -> Iterator[ToxiproxyServer]:
    with running(request.param) as server:
        yield server


@pytest.fixture
def server(started: ToxiproxyServer) -> Iterator[ToxiproxyServer]:
    """A running server without proxies."""
    yield started
    started.delete_all()
