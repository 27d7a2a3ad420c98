import asyncio
from time import monotonic

import pytest
from prometheus_client.parser import text_string_to_metric_families
from service.exposition import MetricsServer, ResourceCollector, registry_of
from service.occupancy import Resource


async def fetch(port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


async def test_the_port_tells_resources_and_readiness() -> None:
    pool = Resource("db_pool", 8, queue_limit=5)
    pool.busy.enter(monotonic() - 1.0)
    pool.blocked_on("gateway->positions").add(0.5)
    pool.rejections["full"] += 3
    state = {"ready": False}
    server = await MetricsServer(registry_of([ResourceCollector([pool])]), lambda: state["ready"]).start("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert (await fetch(port, "/ready"))[0] == 503
    state["ready"] = True
    assert (await fetch(port, "/ready"))[0] == 200
    assert (await fetch(port, "/other"))[0] == 404
    status, text = await fetch(port, "/metrics")
    assert status == 200
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    name = ("resource", "db_pool")
    assert samples["resource_servers", name] == 8
    assert samples["resource_queue_limit", name] == 5
    assert samples["resource_busy_seconds_total", name] == pytest.approx(1.0, abs=0.5)
    assert samples["resource_blocked_seconds_total", ("on", "gateway->positions"), name] == 0.5
    assert samples["resource_rejections_total", ("reason", "full"), name] == 3
    server.close()


async def test_a_client_that_speaks_no_http_is_left_alone() -> None:
    server = await MetricsServer(registry_of([]), lambda: True).start("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\r\n\r\n")
    writer.close()
    assert (await fetch(port, "/ready"))[0] == 200
    server.close()
