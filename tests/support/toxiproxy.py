"""Toxiproxy servers as processes, embedded or real, and a bare client that sees answers as they are."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from tests.support.sockets import await_listener, free_port

Json: TypeAlias = Any

START_LIMIT_S = 15.0
CALL_LIMIT_S = 5.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, untouched."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Json:
        return json.loads(self.text)


@dataclass(frozen=True)
class ToxiproxyServer:
    """A running server. `kind` is `embedded` or `real`."""

    kind: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request. A str as `body` is sent as it is, else as JSON. Raises TimeoutError after 5 s."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_LIMIT_S)
        try:
            content = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, path, content, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def ok(self, method: str, path: str, body: Json = None) -> Json:
        """One request that must succeed; its JSON (None when there is none)."""
        answer = self.call(method, path, body)
        assert answer.status in {200, 201, 204}, answer
        return answer.json() if answer.text else None

    def create(self, name: str, upstream_port: int, **fields: Json) -> dict[str, Any]:
        """A proxy on a free port of 127.0.0.1."""
        body = {"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream_port}"} | fields
        return dict(self.ok("POST", "/proxies", body))

    def add_toxic(self, proxy: str, kind: str, **fields: Json) -> dict[str, Any]:
        return dict(self.ok("POST", f"/proxies/{proxy}/toxics", {"type": kind} | fields))

    def delete_all(self) -> None:
        for name in self.ok("GET", "/proxies"):
            self.ok("DELETE", f"/proxies/{quote(name, safe='')}")


@contextmanager
def running(kind: str, *arguments: str) -> Iterator[ToxiproxyServer]:
    """A server with its control API on a free port of 127.0.0.1; stopped at the end."""
    if kind == "embedded":
        command = [sys.executable, "-m", "chaoskit.proxy", "--port", "0", *arguments]
        with process(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            ready = child.stdout.readline().decode()
            yield ToxiproxyServer(kind, int(ready.split("http://127.0.0.1:")[1].split()[0]), child.pid)
        return
    port = free_port()
    with process(["toxiproxy-server", "-port", str(port), *arguments], stdout=subprocess.DEVNULL) as child:
        await_listener(port)
        yield ToxiproxyServer(kind, port, child.pid)


@contextmanager
def process(command: list[str], stdout: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A child process, ended with SIGTERM; killed when it does not end."""
    with subprocess.Popen(command, stdout=stdout) as child:
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(START_LIMIT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                raise
