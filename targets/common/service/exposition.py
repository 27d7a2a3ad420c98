"""A component's own metrics port: `/metrics` as Prometheus text and `/ready`, beside the hot path.

Counters are plain attributes; they become Prometheus families only when somebody scrapes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from time import monotonic

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.occupancy import Resource

Ready = Callable[[], bool]
Refresh = Callable[[], Awaitable[None]]


class ResourceCollector(Collector):
    """Renders `Resource` objects under the names that the toolkit reads."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources

    def collect(self) -> Iterator[Metric]:
        """All families, with work in progress accrued up to now."""
        now_s = monotonic()
        servers = GaugeMetricFamily("resource_servers", "How many can be held at once", labels=["resource"])
        limit = GaugeMetricFamily("resource_queue_limit", "How many may wait", labels=["resource"])
        length = GaugeMetricFamily("resource_queue_length", "How many wait now", labels=["resource"])
        busy = CounterMetricFamily("resource_busy_seconds", "Server-seconds held", labels=["resource"])
        waited = CounterMetricFamily("resource_wait_seconds", "Seconds spent waiting", labels=["resource"])
        arrivals = CounterMetricFamily("resource_arrivals", "Requests that came", labels=["resource"])
        completions = CounterMetricFamily("resource_completions", "Requests done", labels=["resource"])
        blocked = CounterMetricFamily(
            "resource_blocked_seconds", "Busy time that waited on something else", labels=["resource", "on"]
        )
        rejections = CounterMetricFamily("resource_rejections", "Requests turned away", labels=["resource", "reason"])
        for resource in self._resources:
            resource.settle(now_s)
            name = [resource.name]
            servers.add_metric(name, resource.servers)
            if resource.queue_limit is not None:
                limit.add_metric(name, resource.queue_limit)
            length.add_metric(name, resource.waiting.holders)
            busy.add_metric(name, resource.busy.total_s(now_s))
            waited.add_metric(name, resource.waiting.total_s(now_s))
            arrivals.add_metric(name, resource.arrivals)
            completions.add_metric(name, resource.completions)
            for supplier, occupancy in resource.blocked.items():
                blocked.add_metric([resource.name, supplier], occupancy.total_s(now_s))
            for reason, count in resource.rejections.items():
                rejections.add_metric([resource.name, reason], count)
        yield from (servers, limit, length, busy, waited, arrivals, completions, blocked, rejections)


def registry_of(collectors: Iterable[Collector]) -> CollectorRegistry:
    """A registry of just these collectors."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return registry


async def _skip_refresh() -> None:
    """Nothing has to be fetched before a scrape."""


class MetricsServer:
    """Answers `GET /metrics` and `GET /ready` (200 or 503) on a port of its own, one request per connection.

    `refresh` runs before each scrape, for figures that must be fetched first.
    """

    def __init__(self, registry: CollectorRegistry, ready: Ready, refresh: Refresh = _skip_refresh) -> None:
        self._registry = registry
        self._ready = ready
        self._refresh = refresh

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen on `host`:`port`; close the returned server to stop."""
        return await asyncio.start_server(self._serve, host, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = await self._answer(head.split(b" ", 2)[1].split(b"?")[0])
                writer.write(
                    b"HTTP/1.1 %s\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: %d\r\n"
                    b"connection: close\r\n\r\n%s" % (status, len(body), body)
                )
                await writer.drain()
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            TimeoutError,
            ConnectionError,
            IndexError,
        ):
            pass  # a client that leaves early or speaks no HTTP gets no answer
        finally:
            writer.close()

    async def _answer(self, path: bytes) -> tuple[bytes, bytes]:
        if path == b"/metrics":
            await self._refresh()
            return b"200 OK", generate_latest(self._registry)
        if path == b"/ready":
            return (b"200 OK", b"ready\n") if self._ready() else (b"503 Service Unavailable", b"not ready\n")
        return b"404 Not Found", b"try /metrics or /ready\n"
