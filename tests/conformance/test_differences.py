"""What the two servers do differently on purpose, shown on both; chaoskit/proxy/README.md says why."""

import json
import re
from pathlib import Path

import pytest

from tests.support.sockets import carry_ms, is_silent_ms, join, listening, port_of
from tests.support.toxiproxy import ToxiproxyServer, running

BOTH = ["embedded", pytest.param("real", marks=pytest.mark.toxiproxy)]
SOON_MS = 150
"""Faster than any wait here, slower than a busy machine."""


@pytest.mark.parametrize("kind", BOTH)
def test_a_name_with_a_slash(kind: str) -> None:
    with running(kind) as server:  # the real one keeps the proxy for good
        body = {"name": "a/b", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}
        taken = server.call("POST", "/proxies", body).status
        reached = server.call("GET", "/proxies/a%2Fb").status
    assert (taken, reached) == {"embedded": (400, 404), "real": (201, 404)}[kind]


@pytest.mark.parametrize(
    ("listen", "embedded", "real"),
    [({}, "127.0.0.1", "[::]"), ({"listen": "0.0.0.0:0"}, "0.0.0.0", "[::]")],
    ids=["left out", "0.0.0.0"],
)
def test_where_a_proxy_listens(server: ToxiproxyServer, listen: dict[str, str], embedded: str, real: str) -> None:
    shown = server.ok("POST", "/proxies", {"name": "web", "upstream": "127.0.0.1:1", **listen})
    host, _, port = shown["listen"].rpartition(":")
    assert host == {"embedded": embedded, "real": real}[server.kind]
    assert int(port) > 0


def test_an_update_that_cannot_listen(server: ToxiproxyServer) -> None:
    before = server.create("web", 1)["listen"]
    with listening() as taken:
        answer = server.call("PATCH", "/proxies/web", {"listen": f"127.0.0.1:{port_of(taken)}"})
    assert answer.status == 500
    shown = server.ok("GET", "/proxies/web")
    assert (shown["enabled"], shown["listen"] == before) == {"embedded": (True, True), "real": (False, False)}[
        server.kind
    ]


def test_reset_peer_on_a_connection_opened_before(server: ToxiproxyServer) -> None:
    with listening() as listener:
        joined = join(server.create("web", port_of(listener))["listen"], listener)
        server.add_toxic("web", "reset_peer")
        joined.upstream.sendall(b"lost")
        try:
            end = "orderly" if joined.client.recv(1) == b"" else "data"
        except ConnectionResetError:
            end = "reset"
        joined.close()
    assert end == {"embedded": "reset", "real": "orderly"}[server.kind]


def test_reset_peer_lifted_while_it_waits(server: ToxiproxyServer) -> None:
    with listening() as listener:
        listen = server.create("web", port_of(listener))["listen"]
        server.add_toxic("web", "reset_peer", name="it", attributes={"timeout": 400})
        joined = join(listen, listener)
        joined.upstream.sendall(b"x")
        assert is_silent_ms(joined.client, 50)
        server.ok("DELETE", "/proxies/web/toxics/it")  # the real server answers when the wait is over
        try:
            passed = joined.client.recv(1) == b"x"
        except ConnectionResetError:
            passed = False
        joined.close()
    assert passed is (server.kind == "embedded")


def test_a_latency_that_is_changed(server: ToxiproxyServer) -> None:
    with listening() as listener:
        listen = server.create("web", port_of(listener))["listen"]
        server.add_toxic("web", "latency", name="it", attributes={"latency": 60_000})
        joined = join(listen, listener)
        joined.upstream.sendall(b"x")
        assert is_silent_ms(joined.client, 50)
        server.ok("PATCH", "/proxies/web/toxics/it", {"attributes": {"latency": 30_000}})
        held = is_silent_ms(joined.client, SOON_MS)
        joined.close()
    assert held is (server.kind == "embedded")


def test_the_sizes_of_slices(server: ToxiproxyServer) -> None:
    with listening() as listener:
        listen = server.create("web", port_of(listener))["listen"]
        server.add_toxic("web", "slicer", attributes={"average_size": 300, "delay": 200_000})
        joined = join(listen, listener)
        joined.upstream.sendall(bytes(1000))
        first = len(joined.client.recv(1000))
        joined.close()
    assert first == {"embedded": 300, "real": 250}[server.kind]


@pytest.mark.parametrize("kind", BOTH)
def test_metrics_of_an_open_connection(kind: str) -> None:
    option = {"embedded": "--proxy-metrics", "real": "-proxy-metrics"}[kind]
    with running(kind, option) as server, listening() as listener:
        joined = join(server.create("web", port_of(listener))["listen"], listener)
        carry_ms(joined.upstream, joined.client, bytes(100))
        text = server.call("GET", "/metrics").text
        joined.close()
    counted = re.findall(r"^toxiproxy_proxy_sent_bytes_total\{.*\} ([1-9]\S*)$", text, re.MULTILINE)
    assert [float(sent_bytes) for sent_bytes in counted] == {"embedded": [100], "real": []}[kind]


@pytest.mark.parametrize("kind", BOTH)
def test_a_wrong_configuration(kind: str, tmp_path: Path) -> None:
    wrong = tmp_path / "proxies.json"
    wrong.write_text("{")
    try:
        with running(kind, {"embedded": "--config", "real": "-config"}[kind], str(wrong)) as server:
            started = server.ok("GET", "/proxies") == {}
    except IndexError:  # no line that says where it listens
        started = False
    assert started is (kind == "real")


def test_a_body_above_1_mib(server: ToxiproxyServer) -> None:
    body = {"name": "web", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0", "enabled": True}
    padded = json.dumps(body) + " " * 2**20
    assert server.call("POST", "/proxies", padded).status == {"embedded": 413, "real": 201}[server.kind]
