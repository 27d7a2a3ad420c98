"""`python -m exchange.positions`: start the region's PostgreSQL, serve its metrics, stop it on SIGTERM."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop
from prometheus_client.registry import Collector
from service.arguments import component_parser, duration_s
from service.exposition import MetricsServer, ResourceCollector, registry_of

from exchange.arguments import add_autoscaler, autoscaler_rules
from exchange.positions.postgres import PostgresServer, StartFailed, create_cluster
from exchange.positions.read_replicas import MOST, REPLICATION, ReadReplicas, free_port
from exchange.positions.router import Router
from exchange.positions.session import first_session, open_session
from exchange.positions.watch import ConnectionsResource, ServersResource
from exchange.replicas import Replicas
from exchange.storage import DATABASE, TABLES, VIEWS


def _parse() -> argparse.Namespace:
    parser = component_parser("exchange.positions", __doc__, "where PostgreSQL listens")
    parser.add_argument("--data", type=Path, required=True, help="folder of the cluster; made if missing")
    parser.add_argument("--max-connections", type=int, default=60, help="PostgreSQL's max_connections (default: 60)")
    parser.add_argument("--query-time", type=duration_s, default=0.002, help="time of a read in the database")
    parser.add_argument("--read-replicas", type=int, default=0, help="replicas that reads go to, from the start")
    parser.add_argument("--replication-delay", type=duration_s, default=0.0, help="after which they apply a commit")
    add_autoscaler(parser, MOST)
    arguments = parser.parse_args()
    if arguments.autoscaler != "off" and not arguments.read_replicas:
        parser.error("an autoscaler begins with a replica: give --read-replicas of at least 1")
    if max(arguments.read_replicas, arguments.most_replicas * (arguments.autoscaler != "off")) > MOST:
        parser.error(f"there can be {MOST} read replicas at most")
    return arguments


async def _prepare(server: PostgresServer, query_time_s: float) -> None:
    """Make the database and its tables where they are missing."""
    connection = await first_session(server, "postgres")
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    connection = await first_session(server, DATABASE)
    try:
        if await connection.fetchval("SELECT to_regclass('watermark')") is None:
            await connection.execute(TABLES)
        await connection.execute(VIEWS.format(query_time_s=query_time_s))
    finally:
        await connection.close()


async def _watch(server: PostgresServer, replicas: ReadReplicas, stop: asyncio.Event) -> None:
    """Return when asked to stop; raises `StartFailed` where the server ends by itself. Replicas may end."""
    while not stop.is_set():
        code = server.exit_code()
        if code is not None:
            raise StartFailed(f"PostgreSQL ended by itself with code {code}: {server.log_tail()}")
        replicas.bury()
        try:
            await asyncio.wait_for(stop.wait(), 0.25)
        except TimeoutError:
            continue


class Database:
    """The region's database: a server alone on its port, or behind a router with its read replicas."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._routed = arguments.read_replicas > 0
        create_cluster(arguments.data)
        host, port = ("127.0.0.1", free_port()) if self._routed else (arguments.host, arguments.port)
        settings = REPLICATION if self._routed else {}
        self.server = PostgresServer(arguments.data, host, port, arguments.max_connections, settings)
        self._connections = ConnectionsResource(
            arguments.max_connections, lambda: open_session(self.server, "postgres")
        )
        self._router = Router(self.server)
        self._servers = ServersResource(self._connections)
        self._replicas = ReadReplicas(self._router, self._servers, int(1000 * arguments.replication_delay))

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until `stop`; raises `StartFailed` where the server, or a first replica, cannot start or dies."""
        self.server.start()
        tasks: list[asyncio.Task[None]] = []
        listeners: list[asyncio.Server] = []
        collectors: list[Collector] = [ResourceCollector([self._servers if self._routed else self._connections])]
        try:
            await _prepare(self.server, self._arguments.query_time)
            if self._routed:
                await self._replicas.start(self._arguments.read_replicas)
                listeners.append(await self._router.start(self._arguments.host, self._arguments.port))
            if self._arguments.autoscaler != "off":
                replicas = Replicas(
                    self._replicas,
                    autoscaler_rules(self._arguments),
                    self._arguments.read_replicas,
                    self._arguments.boot_delay,
                )
                self._replicas.on_lost = replicas.lost
                tasks.append(asyncio.create_task(self._replicas.follow(replicas)))
                collectors.append(replicas)
            metrics = MetricsServer(
                registry_of(collectors),
                ready=lambda: self.server.exit_code() is None,
                refresh=(self._servers if self._routed else self._connections).refresh,
            )
            listeners.append(await metrics.start(self._arguments.host, self._arguments.metrics_port))
            await _watch(self.server, self._replicas, stop)
        finally:
            for listener in listeners:
                listener.close()
            for task in tasks:
                task.cancel()
            await self._replicas.close()
            self.server.stop()


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Database(arguments).serve(stop)


def main() -> int:
    """Run until told to stop; exit code 1 where the database cannot start or dies."""
    try:
        uvloop.run(_run(_parse()))
    except StartFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
