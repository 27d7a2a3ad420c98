"""`python -m exchange.positions`: start the region's PostgreSQL, serve its metrics, stop it on SIGTERM."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from time import monotonic

import asyncpg

from exchange.arguments import duration_s
from exchange.exposition import MetricsServer, ResourceCollector, registry_of
from exchange.positions.postgres import PostgresServer, StartFailed, create_cluster
from exchange.positions.watch import ConnectionsResource
from exchange.storage import DATABASE, TABLES, USER, VIEWS

START_WITHIN_S = 50.0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="exchange.positions", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where PostgreSQL listens")
    parser.add_argument("--metrics-port", type=int, required=True, help="where /metrics and /ready are")
    parser.add_argument("--host", default="127.0.0.1", help="address that both bind (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder of the cluster; made if missing")
    parser.add_argument("--max-connections", type=int, default=60, help="PostgreSQL's max_connections (default: 60)")
    parser.add_argument("--query-time", type=duration_s, default=0.002, help="time of a read in the database")
    return parser.parse_args()


async def _open(server: PostgresServer, database: str) -> "asyncpg.Connection":
    """Connect once."""
    host = "127.0.0.1" if server.host == "0.0.0.0" else server.host  # noqa: S104 - compared, not bound
    return await asyncpg.connect(host=host, port=server.port, user=USER, database=database, ssl=False, timeout=2)


async def _connect(server: PostgresServer, database: str) -> "asyncpg.Connection":
    """Connect, waiting for the server to come up; raises `StartFailed` with its log where it does not."""
    deadline_s = monotonic() + START_WITHIN_S
    while True:
        try:
            return await _open(server, database)
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError) as error:
            if server.exit_code() is not None or monotonic() > deadline_s:
                raise StartFailed(f"PostgreSQL did not come up on port {server.port}: {server.log_tail()}") from error
            await asyncio.sleep(0.02)


async def _prepare(server: PostgresServer, query_time_s: float) -> None:
    """Make the database and its tables where they are missing."""
    connection = await _connect(server, "postgres")
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    connection = await _connect(server, DATABASE)
    try:
        if await connection.fetchval("SELECT to_regclass('watermark')") is None:
            await connection.execute(TABLES)
        await connection.execute(VIEWS.format(query_time_s=query_time_s))
    finally:
        await connection.close()


async def _watch(server: PostgresServer, stop: asyncio.Event) -> None:
    """Return when asked to stop; raises `StartFailed` where the server ends by itself."""
    while not stop.is_set():
        code = server.exit_code()
        if code is not None:
            raise StartFailed(f"PostgreSQL ended by itself with code {code}: {server.log_tail()}")
        try:
            await asyncio.wait_for(stop.wait(), 0.25)
        except TimeoutError:
            continue


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    create_cluster(arguments.data)
    server = PostgresServer(arguments.data, arguments.host, arguments.port, arguments.max_connections)
    server.start()
    try:
        await _prepare(server, arguments.query_time)
        connections = ConnectionsResource(arguments.max_connections, lambda: _open(server, "postgres"))
        metrics = MetricsServer(
            registry_of([ResourceCollector([connections])]),
            ready=lambda: server.exit_code() is None,
            refresh=connections.refresh,
        )
        listener = await metrics.start(arguments.host, arguments.metrics_port)
        await _watch(server, stop)
        listener.close()
    finally:
        server.stop()


def main() -> int:
    """Run until told to stop; exit code 1 where the database cannot start or dies."""
    try:
        asyncio.run(_run(_parse()))
    except StartFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
