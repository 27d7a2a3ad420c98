"""The clients that people have drive every server unchanged: `toxiproxy-cli` and toxiproxy-python."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.support.sockets import carry_ms, join, listening, port_of
from tests.support.toxiproxy import CALL_LIMIT_S, Json, ToxiproxyServer

Cli = Callable[..., str]


@pytest.fixture
def cli(server: ToxiproxyServer) -> Cli:
    """Runs `toxiproxy-cli` against the server; its output."""

    def run(*arguments: str) -> str:
        environment = os.environ | {"TOXIPROXY_URL": server.url}
        done = subprocess.run(
            ["toxiproxy-cli", *arguments],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=CALL_LIMIT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.toxiproxy
def test_toxiproxy_cli(server: ToxiproxyServer, cli: Cli) -> None:
    with listening() as listener:
        cli("create", "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{port_of(listener)}", "web")
        assert "web" in cli("list")
        cli("toxic", "add", "-t", "latency", "-a", "latency=60", "-a", "jitter=1", "web")
        cli(
            "toxic",
            "add",
            "-n",
            "cut",
            "-t",
            "limit_data",
            "-a",
            "bytes=1000",
            "--toxicity",
            "0.5",
            "-u",
            "web",
        )
        assert "latency_downstream" in cli("inspect", "web")
        joined = join(server.ok("GET", "/proxies/web")["listen"], listener)
        assert carry_ms(joined.upstream, joined.client) >= 58
        cli("toxic", "update", "-n", "latency_downstream", "-a", "latency=0", "-a", "jitter=0", "web")
        assert carry_ms(joined.upstream, joined.client) < 50
        joined.close()
        cli("toxic", "remove", "-n", "latency_downstream", "web")
        assert [toxic["name"] for toxic in server.ok("GET", "/proxies/web/toxics")] == ["cut"]
        cli("toggle", "web")
        assert server.ok("GET", "/proxies/web")["enabled"] is False
        cli("toggle", "web")
        assert server.ok("GET", "/proxies/web")["enabled"] is True
        cli("delete", "web")
        assert server.ok("GET", "/proxies") == {}


@pytest.fixture
def toxiproxy(server: ToxiproxyServer) -> Iterator[Json]:
    """A toxiproxy-python client; its address is state of a class, so it is put back afterwards."""
    from toxiproxy.api import APIConsumer
    from toxiproxy.server import Toxiproxy

    before = APIConsumer.host, APIConsumer.port
    client = Toxiproxy()
    client.update_api_consumer("127.0.0.1", server.port)
    yield client
    client.update_api_consumer(*before)


def test_toxiproxy_python(server: ToxiproxyServer, toxiproxy: Json) -> None:
    from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

    assert toxiproxy.running()
    assert b"version" in toxiproxy.version()
    with listening() as listener:
        upstream = f"127.0.0.1:{port_of(listener)}"
        proxy = toxiproxy.create(name="web", upstream=upstream)
        with pytest.raises(ProxyExists):
            toxiproxy.create(name="web", upstream=upstream)
        proxy.add_toxic(type="latency", attributes={"latency": 60})
        assert proxy.get_toxic("latency_downstream").attributes["latency"] == 60
        joined = join(proxy.listen, listener)
        assert carry_ms(joined.upstream, joined.client) >= 59
        joined.close()
        with pytest.raises(InvalidToxic):
            proxy.add_toxic(type="nope")
        with pytest.raises(NotFound):
            proxy.destroy_toxic("nope")
        assert proxy.destroy_toxic("latency_downstream")
        with proxy.down():
            assert server.ok("GET", "/proxies/web")["enabled"] is False
        assert server.ok("GET", "/proxies/web")["enabled"] is True
        toxiproxy.populate([{"name": "two", "upstream": upstream, "listen": "127.0.0.1:0"}])
        assert toxiproxy.reset()
        assert set(toxiproxy.proxies()) == {"web", "two"}
        toxiproxy.destroy_all()
        assert toxiproxy.proxies() == {}
