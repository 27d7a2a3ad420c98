"""How the gateway's links fare: open database connections, failed attempts, reconnects to the engine."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exchange.gateway.engine_link import EngineLink
from exchange.gateway.pool import Pool


class LinkCollector(Collector):
    """Figures of the pool's connections and of the engine link."""

    def __init__(self, pool: Pool, engine: EngineLink) -> None:
        self._pool = pool
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield GaugeMetricFamily(
            "exchange_db_connections_open", "Database connections that are up", value=self._pool.open
        )
        yield CounterMetricFamily(
            "exchange_db_connect_failures",
            "Attempts to open a database connection that failed",
            value=self._pool.connect_failures,
        )
        yield CounterMetricFamily(
            "exchange_engine_reconnects",
            "Times that the connection to the engine had to be made again",
            value=self._engine.reconnects,
        )
