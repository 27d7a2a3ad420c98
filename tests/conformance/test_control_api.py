"""Every call of the control API: code, kind and body of the answer; deliberate differences are data."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.sockets import listening, port_of
from tests.support.toxiproxy import Answer, Json, ToxiproxyServer

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

LATENCY = '{"attributes":{"latency":5,"jitter":2},"name":"slow","type":"latency","stream":"upstream","toxicity":0.3}'
WEB = (
    '{"name":"web","listen":"127.0.0.1:PORT","upstream":"localhost:1","enabled":true,"Logger":{},'
    f'"toxics":[{LATENCY}]}}'
)
NO_PROXY = '{"error":"proxy not found","status":404}\n'
NO_TOXIC = '{"error":"toxic not found","status":404}\n'
NEW = {"listen": "127.0.0.1:0", "upstream": "localhost:1"}


@dataclass(frozen=True)
class Case:
    """One call and its answer; `real` is the real server's, where that differs on purpose.

    `text` None leaves the body open (messages about bad JSON are each server's own).
    """

    method: str
    path: str
    body: Json
    status: int
    text: str | None = None
    kind: str | None = None
    real: "Case | None" = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body if self.body is not None else ''}".strip()[:70]


def toxic_refused(body: Json, real_status: int = 200) -> Case:
    """A toxic that the embedded server refuses and the real one takes (or, with 400, refuses too)."""
    path = "/proxies/web/toxics"
    return Case("POST", path, body, 400, real=Case("POST", path, body, real_status))


def toxic_kept(body: Json) -> Case:
    """A change that the embedded server refuses and the real one takes without effect."""
    path = "/proxies/web/toxics/slow"
    return Case("PATCH", path, body, 400, real=Case("PATCH", path, body, 200, LATENCY, JSON))


def proxy_refused(body: Json, real_status: int) -> Case:
    return Case("POST", "/proxies", body, 400, real=Case("POST", "/proxies", body, real_status))


CASES = [
    Case("GET", "/proxies", None, 200, f'{{"web":{WEB}}}', JSON),
    Case("GET", "/proxies/web", None, 200, WEB, JSON),
    Case("GET", "/proxies/nope", None, 404, NO_PROXY, TEXT),
    Case("PATCH", "/proxies/nope", {}, 404, NO_PROXY, TEXT),
    Case("DELETE", "/proxies/nope", None, 404, NO_PROXY, TEXT),
    Case("DELETE", "/proxies/web", None, 204, ""),
    Case("PATCH", "/proxies/web", {}, 200, WEB, JSON),
    Case("POST", "/proxies/web", {}, 200, WEB, JSON),
    Case("PATCH", "/proxies/web", {"enabled": False}, 200, WEB.replace("true", "false"), JSON),
    Case("PATCH", "/proxies/web", {"upstream": "localhost:2"}, 200, WEB.replace("t:1", "t:2"), JSON),
    Case("PATCH", "/proxies/web", "", 400, '{"error":"bad request body: EOF","status":400}\n', TEXT),
    Case("PATCH", "/proxies/web", {"enabled": "no"}, 400, None, TEXT),
    # Creating a proxy.
    Case(
        "POST",
        "/proxies",
        NEW | {"name": "web"},
        409,
        '{"error":"proxy already exists","status":409}\n',
        TEXT,
    ),
    Case(
        "POST",
        "/proxies",
        {"upstream": "localhost:1"},
        400,
        '{"error":"missing required field: name","status":400}\n',
        TEXT,
    ),
    Case(
        "POST",
        "/proxies",
        {"name": "a"},
        400,
        '{"error":"missing required field: upstream","status":400}\n',
        TEXT,
    ),
    Case("POST", "/proxies", "", 400, '{"error":"bad request body: EOF","status":400}\n', TEXT),
    Case("POST", "/proxies", "{", 400, None, TEXT),
    Case("POST", "/proxies", "[]", 400, None, TEXT),
    Case("POST", "/proxies", {"name": 5}, 400, None, TEXT),
    Case("POST", "/proxies", NEW | {"name": "a b"}, 201, None, JSON),
    Case("POST", "/proxies", NEW | {"name": "a", "listen": "no.such.host.invalid:80"}, 500, None, TEXT),
    proxy_refused(NEW | {"name": "a", "listen": "garbage"}, 500),
    proxy_refused(NEW | {"name": "a", "listen": "127.0.0.1:99999"}, 500),
    proxy_refused(NEW | {"name": "a", "upstream": "garbage"}, 201),
    proxy_refused(NEW | {"name": "a", "upstrem": "localhost:1"}, 201),
    # Toxics.
    Case("GET", "/proxies/web/toxics", None, 200, f"[{LATENCY}]", JSON),
    Case("GET", "/proxies/nope/toxics", None, 404, NO_PROXY, TEXT),
    Case("POST", "/proxies/nope/toxics", {"type": "latency"}, 404, NO_PROXY, TEXT),
    Case("GET", "/proxies/web/toxics/slow", None, 200, LATENCY, JSON),
    Case("GET", "/proxies/web/toxics/nope", None, 404, NO_TOXIC, TEXT),
    Case("PATCH", "/proxies/web/toxics/nope", {}, 404, NO_TOXIC, TEXT),
    Case("DELETE", "/proxies/web/toxics/nope", None, 404, NO_TOXIC, TEXT),
    Case("DELETE", "/proxies/web/toxics/slow", None, 204, ""),
    Case(
        "PATCH",
        "/proxies/web/toxics/slow",
        {"attributes": {"latency": 9}},
        200,
        LATENCY.replace("5", "9"),
        JSON,
    ),
    Case("POST", "/proxies/web/toxics/slow", {"toxicity": 1}, 200, LATENCY.replace("0.3", "1"), JSON),
    Case("PATCH", "/proxies/web/toxics/slow", "", 400, '{"error":"bad request body: EOF","status":400}\n', TEXT),
    Case("PATCH", "/proxies/web/toxics/slow", {"attributes": {"latency": "9"}}, 400, None, TEXT),
    Case(
        "POST",
        "/proxies/web/toxics",
        {"type": "latency"},
        200,
        '{"attributes":{"latency":0,"jitter":0},"name":"latency_downstream","type":"latency",'
        '"stream":"downstream","toxicity":1}',
        JSON,
    ),
    Case(
        "POST",
        "/proxies/web/toxics",
        {"type": "nope"},
        400,
        '{"error":"invalid toxic type","status":400}\n',
        TEXT,
    ),
    Case("POST", "/proxies/web/toxics", {}, 400, '{"error":"invalid toxic type","status":400}\n', TEXT),
    Case(
        "POST",
        "/proxies/web/toxics",
        {"type": "latency", "stream": "side"},
        400,
        '{"error":"stream was invalid, can be either upstream or downstream","status":400}\n',
        TEXT,
    ),
    Case(
        "POST",
        "/proxies/web/toxics",
        {"type": "latency", "name": "slow"},
        409,
        '{"error":"toxic already exists","status":409}\n',
        TEXT,
    ),
    toxic_refused({"type": "latency", "attributes": {"latency": "5"}}, 400),
    toxic_refused({"type": "latency", "attributes": {"latency": 5.5}}, 400),
    toxic_refused({"type": "latency", "attributes": {"latencyy": 5}}),
    toxic_refused({"type": "latency", "attributes": {"latency": -5}}),
    toxic_refused({"type": "latency", "toxicity": 7}),
    toxic_refused({"type": "latency", "toxicity": -0.1}),
    toxic_refused({"type": "latency", "strem": "upstream"}),
    toxic_refused({"type": "bandwidth", "attributes": {"rate": -1}}),
    toxic_refused({"type": "slicer", "attributes": {"average_size": 0}}),
    toxic_refused({"type": "slicer", "attributes": {"average_size": 4, "size_variation": 4}}),
    toxic_refused({"type": "limit_data", "attributes": {"bytes": -1}}),
    toxic_kept({"stream": "downstream"}),
    toxic_kept({"type": "timeout"}),
    toxic_kept({"name": "other"}),
    Case(
        "PATCH", "/proxies/web", {"name": "other"}, 400, real=Case("PATCH", "/proxies/web", {"name": "other"}, 200, WEB)
    ),
    # The rest.
    Case("POST", "/populate", [], 201, '{"proxies":null}', JSON),
    Case(
        "POST",
        "/populate",
        [{"name": "p"}],
        400,
        '{"error":"missing required field: upstream at proxy 1","status":400,"proxies":null}',
        JSON,
    ),
    Case("POST", "/populate", {"name": "p"}, 400, None, JSON),
    Case("POST", "/reset", None, 204, ""),
    Case("GET", "/metrics", None, 404, "404 page not found\n", TEXT),
    Case("GET", "/nope", None, 404, "404 page not found\n", TEXT),
    Case("GET", "/proxies/", None, 404, "404 page not found\n", TEXT),
    Case("PUT", "/proxies", None, 405, ""),
    Case("HEAD", "/proxies", None, 405, ""),
    Case("GET", "/reset", None, 405, ""),
    Case("GET", "/populate", None, 405, ""),
]


@pytest.fixture
def web(server: ToxiproxyServer) -> ToxiproxyServer:
    """A server with one proxy, `web`, that has one toxic, `slow`."""
    server.create("web", 1, upstream="localhost:1")
    server.add_toxic(
        "web", "latency", name="slow", stream="upstream", toxicity=0.3, attributes={"latency": 5, "jitter": 2}
    )
    return server


@pytest.mark.parametrize("case", CASES, ids=str)
def test_call(web: ToxiproxyServer, case: Case) -> None:
    expected = case.real if case.real and web.kind == "real" else case
    answer = web.call(expected.method, expected.path, expected.body)
    assert answer.status == expected.status, answer
    if expected.kind:
        assert answer.headers["Content-Type"] == expected.kind
    if expected.text is not None:
        assert re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", answer.text) == expected.text
    if expected.kind == TEXT and expected.status == 400:
        assert answer.json().keys() == {"error", "status"}


@pytest.mark.parametrize("path", ["/proxies", "/version"])
def test_browsers_are_turned_away(server: ToxiproxyServer, path: str) -> None:
    answer = server.call("GET", path, headers={"User-Agent": "Mozilla/5.0 (X11)"})
    assert (answer.status, answer.text) == (403, "User agent not allowed\n")


def test_version_is_json(server: ToxiproxyServer) -> None:
    answer = server.call("GET", "/version")
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    assert answer.json()["version"] == {"embedded": "2.12.0", "real": answer.json()["version"]}[server.kind]


def test_localhost_is_shown_resolved(server: ToxiproxyServer) -> None:
    shown = server.create("web", 1, listen="localhost:0")
    assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", shown["listen"])


def test_every_interface_is_shown_as_ipv6(server: ToxiproxyServer) -> None:
    shown = server.create("web", 1, listen=":0")
    assert re.fullmatch(r"\[::\]:[1-9]\d*", shown["listen"])


def test_a_port_in_use_is_500(server: ToxiproxyServer) -> None:
    with listening() as taken:
        listen = f"127.0.0.1:{port_of(taken)}"
        answer = server.call("POST", "/proxies", NEW | {"name": "a", "listen": listen})
    assert answer.status == 500
    assert answer.json() == {"error": f"listen tcp {listen}: bind: address already in use", "status": 500}
    assert server.call("GET", "/proxies/a").status == 404


def test_a_disabled_proxy_keeps_its_address_as_written(server: ToxiproxyServer) -> None:
    shown = server.create("web", 1, listen="localhost:0", enabled=False)
    assert (shown["listen"], shown["enabled"]) == ("localhost:0", False)


def test_a_name_may_need_quoting(server: ToxiproxyServer) -> None:
    server.create("a b%c", 1)
    assert server.ok("GET", "/proxies/a%20b%25c")["name"] == "a b%c"
    server.ok("DELETE", "/proxies/a%20b%25c")


def test_toxics_keep_their_order_upstream_first(server: ToxiproxyServer) -> None:
    server.create("web", 1)
    for name, stream in (("one", "downstream"), ("two", "upstream"), ("three", "downstream")):
        server.add_toxic("web", "latency", name=name, stream=stream)
    assert [toxic["name"] for toxic in server.ok("GET", "/proxies/web/toxics")] == ["two", "one", "three"]


def test_reset_enables_and_lifts_everything(server: ToxiproxyServer) -> None:
    server.create("on", 1)
    server.add_toxic("on", "timeout")
    server.create("off", 1, enabled=False)
    server.ok("POST", "/reset")
    shown = server.ok("GET", "/proxies")
    assert all(proxy["enabled"] and not proxy["toxics"] for proxy in shown.values())


class TestPopulate:
    def populate(self, server: ToxiproxyServer, *proxies: dict[str, Any]) -> Answer:
        return server.call("POST", "/populate", list(proxies))

    def test_creates_in_order(self, server: ToxiproxyServer) -> None:
        answer = self.populate(server, NEW | {"name": "b"}, NEW | {"name": "a", "enabled": False})
        assert answer.status == 201
        assert [(proxy["name"], proxy["enabled"]) for proxy in answer.json()["proxies"]] == [
            ("b", True),
            ("a", False),
        ]

    def test_leaves_an_unchanged_proxy_alone(self, server: ToxiproxyServer) -> None:
        listen = server.create("a", 1)["listen"]
        server.add_toxic("a", "latency")
        same = {"name": "a", "listen": listen, "upstream": "127.0.0.1:1", "enabled": False}
        shown = self.populate(server, same).json()["proxies"][0]
        assert (shown["enabled"], len(shown["toxics"])) == (True, 1)

    def test_a_changed_upstream_drops_the_toxics(self, server: ToxiproxyServer) -> None:
        listen = server.create("a", 1)["listen"]
        server.add_toxic("a", "latency")
        changed = {"name": "a", "listen": listen, "upstream": "127.0.0.1:2"}
        shown = self.populate(server, changed).json()["proxies"][0]
        assert (shown["listen"], shown["upstream"], shown["toxics"]) == (listen, "127.0.0.1:2", [])

    def test_a_failure_shows_what_was_done(self, server: ToxiproxyServer) -> None:
        with listening() as taken:
            listen = f"127.0.0.1:{port_of(taken)}"
            answer = self.populate(
                server, NEW | {"name": "a"}, NEW | {"name": "b", "listen": listen}, NEW | {"name": "c"}
            )
        assert answer.status == 500
        assert answer.json()["status"] == 500
        assert answer.json()["error"] == f"listen tcp {listen}: bind: address already in use"
        assert [proxy["name"] for proxy in answer.json()["proxies"]] == ["a"]
        assert set(server.ok("GET", "/proxies")) == {"a"}

    def test_a_replacement_that_cannot_listen_leaves_the_old_one_disabled(self, server: ToxiproxyServer) -> None:
        server.create("a", 1)
        server.add_toxic("a", "latency")
        with listening() as taken:
            answer = self.populate(server, NEW | {"name": "a", "listen": f"127.0.0.1:{port_of(taken)}"})
        assert answer.status == 500
        shown = server.ok("GET", "/proxies/a")
        assert (shown["enabled"], len(shown["toxics"])) == (False, 1)
        assert server.ok("PATCH", "/proxies/a", {"enabled": True})["enabled"] is True

    def test_bad_input_changes_nothing(self, server: ToxiproxyServer) -> None:
        answer = self.populate(server, NEW | {"name": "a"}, {"name": "b"})
        assert answer.json()["error"] == "missing required field: upstream at proxy 2"
        assert server.ok("GET", "/proxies") == {}
