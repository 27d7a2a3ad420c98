"""`/metrics`: Toxiproxy's byte counters, live rather than at a connection's end, and a few that it lacks."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from chaoskit.proxy.collection import ProxyCollection
from chaoskit.proxy.http import Response
from chaoskit.proxy.toxic import Direction

_BYTE_LABELS = ("direction", "proxy", "listener", "upstream")


def metrics(proxies: ProxyCollection, *, of_proxies: bool, of_runtime: bool) -> Callable[[], Response]:
    """What answers `/metrics`: counters of the proxies, of the Python process, or both."""
    registry = CollectorRegistry()
    if of_proxies:
        registry.register(_ProxyMetrics(proxies))
    if of_runtime:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def answer() -> Response:
        return Response(200, generate_latest(registry), CONTENT_TYPE_LATEST)

    return answer


class _ProxyMetrics(Collector):
    def __init__(self, proxies: ProxyCollection) -> None:
        self._proxies = proxies

    def collect(self) -> Iterator[Metric]:
        received = CounterMetricFamily("toxiproxy_proxy_received_bytes", "Bytes read", labels=_BYTE_LABELS)
        sent = CounterMetricFamily("toxiproxy_proxy_sent_bytes", "Bytes written", labels=_BYTE_LABELS)
        connections = GaugeMetricFamily("toxiproxy_proxy_connections", "Clients connected", labels=["proxy"])
        failed_dials = CounterMetricFamily(
            "toxiproxy_proxy_failed_dials", "Clients turned away: no upstream", labels=["proxy"]
        )
        for proxy in self._proxies.all():
            bytes_by_way = proxy.transferred_bytes()
            for direction in Direction:
                labels = (direction.value, proxy.name, proxy.listen, proxy.upstream)
                received.add_metric(labels, bytes_by_way[direction, "received"])
                sent.add_metric(labels, bytes_by_way[direction, "sent"])
            connections.add_metric([proxy.name], proxy.connection_count)
            failed_dials.add_metric([proxy.name], proxy.failed_dials_count)
        yield from (received, sent, connections, failed_dials)
