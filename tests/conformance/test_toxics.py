"""What each toxic does to data, on both streams, and what lifting it does."""

import itertools
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.sockets import (
    Joined,
    carry_ms,
    ends_within_ms,
    is_silent_ms,
    join,
    listening,
    port_of,
    receive_all,
    receive_exactly,
)
from tests.support.toxiproxy import ToxiproxyServer

Connect = Callable[[], Joined]

FREE_MS = 150
"""Faster than any toxic here, slower than a busy machine."""

pytestmark = pytest.mark.parametrize("stream", ["upstream", "downstream"])


@pytest.fixture
def connect(server: ToxiproxyServer) -> Iterator[Connect]:
    """Makes connections through a proxy called `web`."""
    opened: list[Joined] = []
    with listening() as listener:
        listen = server.create("web", port_of(listener))["listen"]

        def connect() -> Joined:
            opened.append(join(listen, listener))
            return opened[-1]

        yield connect
        for joined in opened:
            joined.close()


def toxic(server: ToxiproxyServer, kind: str, stream: str, **attributes: int) -> None:
    server.add_toxic("web", kind, name="it", stream=stream, attributes=attributes)


def update(server: ToxiproxyServer, **attributes: int) -> None:
    server.ok("PATCH", "/proxies/web/toxics/it", {"attributes": attributes})


def lift(server: ToxiproxyServer) -> None:
    server.ok("DELETE", "/proxies/web/toxics/it")


def test_no_toxic_passes_everything(connect: Connect, stream: str) -> None:
    sender, receiver = connect().ends(stream)
    data = bytes(itertools.islice(itertools.cycle(range(251)), 100_000))
    sender.sendall(data)
    sender.close()
    assert receive_all(receiver) == data


@pytest.mark.parametrize("opened", ["before", "after"])
def test_latency(server: ToxiproxyServer, connect: Connect, stream: str, opened: str) -> None:
    joined = connect() if opened == "before" else None
    toxic(server, "latency", stream, latency=200)
    sender, receiver = (joined or connect()).ends(stream)
    assert 199 <= carry_ms(sender, receiver) < 1000
    assert carry_ms(receiver, sender) < FREE_MS  # the other way is free
    update(server, latency=0)
    assert carry_ms(sender, receiver) < FREE_MS
    lift(server)
    assert carry_ms(sender, receiver) < FREE_MS


def test_latency_keeps_order_under_jitter(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "latency", stream, latency=10, jitter=10)
    sender, receiver = connect().ends(stream)
    numbers = b"".join(struct.pack("!I", number) for number in range(200))
    for start in range(0, len(numbers), 4):
        sender.sendall(numbers[start : start + 4])
    assert receive_exactly(receiver, len(numbers)) == numbers


def test_latency_lifted_lets_go_what_it_holds(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "latency", stream, latency=60_000)
    sender, receiver = connect().ends(stream)
    sender.sendall(b"held")
    assert is_silent_ms(receiver, 50)
    lift(server)
    assert receive_exactly(receiver, 4) == b"held"
    assert carry_ms(sender, receiver) < FREE_MS


def test_bandwidth(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "bandwidth", stream, rate=100)
    sender, receiver = connect().ends(stream)
    assert 180 <= carry_ms(sender, receiver, bytes(20_000)) < 1000  # 20 kB at 100 kB/s
    lift(server)
    assert carry_ms(sender, receiver, bytes(20_000)) < FREE_MS


def test_bandwidth_of_nothing(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "bandwidth", stream, rate=0)
    sender, receiver = connect().ends(stream)
    sender.sendall(b"held")
    assert is_silent_ms(receiver, 100)
    if server.kind == "embedded":  # the real one may panic here and end for all tests
        update(server, rate=1000)
        assert receive_exactly(receiver, 4) == b"held"


def test_slow_close(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "slow_close", stream, delay=80)
    sender, receiver = connect().ends(stream)
    assert carry_ms(sender, receiver) < FREE_MS
    closed_s = time.monotonic()
    sender.close()
    assert receiver.recv(1) == b""
    assert 0.079 <= time.monotonic() - closed_s < 1


def test_slow_close_lifted_closes_at_once(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "slow_close", stream, delay=60_000)
    sender, receiver = connect().ends(stream)
    carry_ms(sender, receiver)
    sender.close()
    assert is_silent_ms(receiver, 50)
    lift(server)
    assert ends_within_ms(receiver, 1000)


def test_timeout(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "timeout", stream, timeout=80)
    sender, receiver = connect().ends(stream)
    sender.sendall(b"lost")
    assert is_silent_ms(receiver, 40)
    assert ends_within_ms(receiver, 1000)
    assert ends_within_ms(sender, 1000)


def test_timeout_of_zero_is_a_black_hole_that_closes_when_lifted(
    server: ToxiproxyServer, connect: Connect, stream: str
) -> None:
    before = connect()
    toxic(server, "timeout", stream, timeout=0)
    for joined in (before, connect()):
        sender, receiver = joined.ends(stream)
        sender.sendall(b"lost")
        assert is_silent_ms(receiver, 100)
    lift(server)
    for joined in (before,):
        sender, receiver = joined.ends(stream)
        assert ends_within_ms(receiver, 1000)
        assert ends_within_ms(sender, 1000)


def test_reset_peer(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "reset_peer", stream, timeout=60)
    sender, receiver = connect().ends(stream)
    assert is_silent_ms(receiver, 100)  # nothing happens before data comes
    sent_s = time.monotonic()
    sender.sendall(b"lost")
    for side in (receiver, sender):
        with pytest.raises(ConnectionResetError):
            side.recv(1)
        assert 0.058 <= time.monotonic() - sent_s < 1


def test_slicer(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "slicer", stream, average_size=100, size_variation=20, delay=3000)
    sender, receiver = connect().ends(stream)
    data = bytes(itertools.islice(itertools.cycle(range(251)), 1000))
    sender.sendall(data)
    slices: list[bytes] = []
    while sum(map(len, slices)) < len(data):
        slices.append(receiver.recv(4096))
    assert b"".join(slices) == data
    assert len(slices) >= 7  # two slices may be read at once on a busy machine
    lift(server)
    assert carry_ms(sender, receiver, data) < 1000


@pytest.mark.parametrize("limit", [1, 1000])
def test_limit_data(server: ToxiproxyServer, connect: Connect, stream: str, limit: int) -> None:
    toxic(server, "limit_data", stream, bytes=limit)
    sender, receiver = connect().ends(stream)
    sender.sendall(bytes(limit - 1) + b"ab")
    assert receive_all(receiver) == bytes(limit - 1) + b"a"
    assert ends_within_ms(sender, 1000)


def test_limit_data_counts_across_updates(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "limit_data", stream, bytes=10)
    sender, receiver = connect().ends(stream)
    carry_ms(sender, receiver, b"12345678")
    update(server, bytes=12)
    sender.sendall(b"abcdefgh")
    assert receive_all(receiver) == b"abcd"


def test_toxics_work_one_after_the_other(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    server.add_toxic("web", "latency", stream=stream, attributes={"latency": 50})
    server.add_toxic("web", "limit_data", stream=stream, attributes={"bytes": 3})
    sender, receiver = connect().ends(stream)
    started_s = time.monotonic()
    sender.sendall(b"abcdef")
    assert receive_all(receiver) == b"abc"
    assert time.monotonic() - started_s >= 0.049


def test_down_refuses_and_closes_and_keeps_toxics(server: ToxiproxyServer, connect: Connect, stream: str) -> None:
    toxic(server, "latency", stream, latency=1)
    first, second = connect().ends(stream)
    carry_ms(first, second)
    server.ok("PATCH", "/proxies/web", {"enabled": False})
    assert ends_within_ms(first, 1000)
    assert ends_within_ms(second, 1000)
    with pytest.raises(ConnectionRefusedError):
        connect()
    shown: dict[str, Any] = server.ok("PATCH", "/proxies/web", {"enabled": True})
    assert len(shown["toxics"]) == 1
    carry_ms(*connect().ends(stream))
