"""Toxicity: the share of connections that a toxic strikes."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.sockets import Joined, is_silent_ms, join, listening, port_of
from tests.support.toxiproxy import ToxiproxyServer, running

CONNECTIONS = 60
SETTLE_MS = 60
ConnectAll = Callable[[], list[Joined]]


@pytest.fixture
def connect_all(server: ToxiproxyServer) -> Iterator[ConnectAll]:
    yield from connections(server)


def connections(server: ToxiproxyServer) -> Iterator[ConnectAll]:
    """Makes `CONNECTIONS` connections through a proxy called `web`."""
    opened: list[Joined] = []
    with listening() as listener:
        listen = server.create("web", port_of(listener))["listen"]

        def connect_all() -> list[Joined]:
            opened.extend(join(listen, listener) for _ in range(CONNECTIONS))
            return opened

        yield connect_all
        for joined in opened:
            joined.close()


def black_hole(server: ToxiproxyServer, toxicity: float) -> None:
    # A bandwidth of nothing keeps data back and harms no connection.
    server.add_toxic("web", "bandwidth", name="hole", toxicity=toxicity)


def struck(opened: list[Joined]) -> list[bool]:
    """Which connections let nothing through downstream."""
    # The real server lets go what it holds when a toxic changes: that counts for nothing.
    is_silent_ms(opened[0].client, SETTLE_MS)
    for joined in opened:
        if not is_silent_ms(joined.client, 0):
            joined.client.recv(4096)
    for joined in opened:
        joined.upstream.sendall(b"x")
    is_silent_ms(opened[0].client, SETTLE_MS)
    is_silent_ms(opened[-1].client, SETTLE_MS)
    return [is_silent_ms(joined.client, 5) for joined in opened]


@pytest.mark.parametrize(("toxicity", "least", "most"), [(0, 0, 0), (0.5, 15, 45), (1, 60, 60)])
def test_share(server: ToxiproxyServer, connect_all: ConnectAll, toxicity: float, least: int, most: int) -> None:
    black_hole(server, toxicity)
    assert least <= sum(struck(connect_all())) <= most


def test_another_toxic_strikes_nobody_else(server: ToxiproxyServer, connect_all: ConnectAll) -> None:
    black_hole(server, 0.5)
    opened = connect_all()
    before = struck(opened)
    server.add_toxic("web", "latency", name="other", attributes={"latency": 1})
    server.ok("DELETE", "/proxies/web/toxics/other")
    # The real server draws anew for the toxic ahead of the one that came or went.
    assert (struck(opened) == before) is (server.kind == "embedded")


def test_a_larger_share_keeps_those_struck_before(server: ToxiproxyServer, connect_all: ConnectAll) -> None:
    black_hole(server, 0.3)
    opened = connect_all()
    before = struck(opened)
    server.ok("PATCH", "/proxies/web/toxics/hole", {"toxicity": 0.7})
    after = struck(opened)
    if server.kind == "embedded":
        assert all(late for early, late in zip(before, after, strict=True) if early)
    assert sum(after) > sum(before)


@pytest.mark.parametrize(("other_seed", "same"), [("7", True), ("8", False)])
def test_the_seed_decides_whom(other_seed: str, same: bool) -> None:
    draws = []
    for seed in ("7", other_seed):
        with running("embedded", "--seed", seed) as server:
            for connect_all in connections(server):
                black_hole(server, 0.5)
                draws.append(struck(connect_all()))
    assert (draws[0] == draws[1]) is same
