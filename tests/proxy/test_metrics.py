from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.sockets import carry_ms, join, listening, port_of
from tests.support.toxiproxy import ToxiproxyServer, running


@pytest.fixture
def server() -> Iterator[ToxiproxyServer]:
    with running("embedded", "--proxy-metrics", "--runtime-metrics") as server:
        yield server


def samples(server: ToxiproxyServer) -> dict[tuple[str, str, str], float]:
    """Values by metric, proxy and direction."""
    text = server.call("GET", "/metrics").text
    return {
        (sample.name, sample.labels.get("proxy", ""), sample.labels.get("direction", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_bytes_are_counted_while_the_connection_is_open_and_after(server: ToxiproxyServer) -> None:
    with listening() as listener:
        joined = join(server.create("web", port_of(listener))["listen"], listener)
        carry_ms(joined.client, joined.upstream, b"request")
        carry_ms(joined.upstream, joined.client, b"a longer answer")
        counted = samples(server)
        assert counted["toxiproxy_proxy_received_bytes_total", "web", "upstream"] == 7
        assert counted["toxiproxy_proxy_sent_bytes_total", "web", "downstream"] == 15
        assert counted["toxiproxy_proxy_connections", "web", ""] == 1
        joined.close()
        server.ok("PATCH", "/proxies/web", {"enabled": False})
        counted = samples(server)
        assert counted["toxiproxy_proxy_received_bytes_total", "web", "upstream"] == 7
        assert counted["toxiproxy_proxy_connections", "web", ""] == 0


def test_the_process_is_measured(server: ToxiproxyServer) -> None:
    assert samples(server)["process_resident_memory_bytes", "", ""] > 1e6
