"""Faults are lifted under load: one client has stopped reading, sixteen others come and go.

Real Toxiproxy then hangs when a toxic is added, changed or removed; deleting the proxy and making it anew is
the way out there. The embedded server must answer every call.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.churn import churn
from tests.support.sockets import IO_LIMIT_S, connect, fill, join, listening, port_of, receive_exactly
from tests.support.toxiproxy import ToxiproxyServer, running

TRIALS = 15
PROMPT_S = 2.0

Lift = Callable[[ToxiproxyServer, str], None]


def remove_toxic(server: ToxiproxyServer, _listen: str) -> None:
    server.ok("DELETE", "/proxies/web/toxics/slow")


def change_toxic(server: ToxiproxyServer, _listen: str) -> None:
    server.ok("PATCH", "/proxies/web/toxics/slow", {"attributes": {"latency": 1}})


def add_toxic(server: ToxiproxyServer, _listen: str) -> None:
    server.add_toxic("web", "bandwidth", attributes={"rate": 100})


def reset(server: ToxiproxyServer, _listen: str) -> None:
    server.ok("POST", "/reset")


def disable_remove_enable(server: ToxiproxyServer, listen: str) -> None:
    server.ok("PATCH", "/proxies/web", {"enabled": False})
    remove_toxic(server, listen)
    server.ok("PATCH", "/proxies/web", {"enabled": True})


def delete_and_recreate(server: ToxiproxyServer, listen: str) -> None:
    upstream = server.ok("GET", "/proxies/web")["upstream"]
    server.ok("DELETE", "/proxies/web")
    server.ok("POST", "/proxies", {"name": "web", "listen": listen, "upstream": upstream})


WAYS: dict[str, list[Lift]] = {
    "embedded": [remove_toxic, change_toxic, add_toxic, reset, disable_remove_enable, delete_and_recreate],
    "real": [delete_and_recreate],
}


@pytest.mark.parametrize("trial", range(TRIALS))
def test_lifting_never_hangs(server: ToxiproxyServer, trial: int) -> None:
    ways = WAYS[server.kind]
    with listening() as flooded:
        listen = str(server.create("web", port_of(flooded))["listen"])
        server.add_toxic("web", "latency", name="slow", attributes={"latency": 5})
        stalled = join(listen, flooded)
        fill(stalled.upstream, 20)
        with churn(listen, flooded):
            started_s = time.monotonic()
            ways[trial % len(ways)](server, listen)
            server.ok("GET", "/proxies")
            assert time.monotonic() - started_s < PROMPT_S
        stalled.close()
        assert_carries(listen, server)


@pytest.mark.toxiproxy
def test_the_real_server_hangs_when_a_toxic_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why links are healed by deleting and re-creating their proxies; should this fail, Toxiproxy has been mended."""
    monkeypatch.setattr("tests.support.toxiproxy.CALL_LIMIT_S", PROMPT_S)
    with running("real") as server, listening() as flooded:
        listen = str(server.create("web", port_of(flooded))["listen"])
        server.add_toxic("web", "latency", name="slow", attributes={"latency": 5})
        stalled = join(listen, flooded)
        fill(stalled.upstream, 20)
        with churn(listen, flooded):
            for call in ("DELETE", "/proxies/web/toxics/slow"), ("GET", "/proxies"):
                with pytest.raises(TimeoutError):
                    server.call(*call)
        os.kill(server.pid, signal.SIGKILL)  # it would not end in order
        stalled.close()


def assert_carries(listen: str, server: ToxiproxyServer) -> None:
    """The proxy still does its work, for a new client and a new upstream server."""
    with listening() as fresh:
        server.ok("PATCH", "/proxies/web", {"upstream": f"127.0.0.1:{port_of(fresh)}"})
        with connect(int(listen.rpartition(":")[2])) as client:
            client.sendall(b"ping")
            arrived = b""
            while arrived != b"ping":  # clients of the churn may still stand in the proxy's backlog
                upstream, _ = fresh.accept()
                with upstream:
                    upstream.settimeout(IO_LIMIT_S)
                    arrived = receive_exactly(upstream, 4)


@pytest.fixture
def stalled(server: ToxiproxyServer) -> Iterator[tuple[ToxiproxyServer, str]]:
    with listening() as flooded:
        listen = str(server.create("web", port_of(flooded))["listen"])
        joined = join(listen, flooded)
        fill(joined.upstream)
        yield server, listen
        joined.close()


def test_a_stalled_reader_holds_up_nobody_else(stalled: tuple[ToxiproxyServer, str]) -> None:
    server, _listen = stalled
    with listening() as other:
        listen = server.create("other", port_of(other))["listen"]
        joined = join(listen, other)
        joined.client.sendall(b"ping")
        assert receive_exactly(joined.upstream, 4) == b"ping"
        joined.close()


def test_what_a_stalled_reader_left_arrives_when_it_reads_on(server: ToxiproxyServer) -> None:
    with listening() as flooded:
        listen = str(server.create("web", port_of(flooded))["listen"])
        server.add_toxic("web", "latency", attributes={"latency": 5})
        joined = join(listen, flooded)
        taken = fill(joined.upstream)
        joined.upstream.close()
        assert len(receive_exactly(joined.client, taken + 1)) == taken
        joined.client.close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose backlog is full: a connection to it neither succeeds nor fails."""
    with listening() as listener:
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield port_of(listener)
        for client in waiting:
            client.close()


# The real server dials in its accept loop: one silent upstream stalls all new clients.
@pytest.mark.parametrize("started", ["embedded"], indirect=True)
def test_a_silent_upstream_holds_up_no_other_client(server: ToxiproxyServer, silent_port: int) -> None:
    with listening() as listener:
        listen = str(server.create("web", silent_port)["listen"])
        waiting = [connect(int(listen.rpartition(":")[2])) for _ in range(3)]
        server.ok("PATCH", "/proxies/web", {"upstream": f"127.0.0.1:{port_of(listener)}"})
        joined = join(listen, listener)
        joined.client.sendall(b"ping")
        assert receive_exactly(joined.upstream, 4) == b"ping"
        for side in (*waiting, joined.client, joined.upstream):
            side.close()
