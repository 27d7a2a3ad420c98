"""Connections of the wrapper itself to its servers."""

import asyncio
from time import monotonic

import asyncpg

from exchange.positions.postgres import PostgresServer, StartFailed
from exchange.storage import USER

START_WITHIN_S = 50.0


async def open_session(server: PostgresServer, database: str) -> "asyncpg.Connection":
    """Connect once."""
    host = "127.0.0.1" if server.host == "0.0.0.0" else server.host  # noqa: S104 - compared, not bound
    return await asyncpg.connect(host=host, port=server.port, user=USER, database=database, ssl=False, timeout=2)


async def first_session(server: PostgresServer, database: str) -> "asyncpg.Connection":
    """Connect, waiting for the server to come up; raises `StartFailed` with its log where it does not."""
    deadline_s = monotonic() + START_WITHIN_S
    while True:
        try:
            return await open_session(server, database)
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError) as error:
            if server.exit_code() is not None or monotonic() > deadline_s:
                raise StartFailed(f"PostgreSQL did not come up on port {server.port}: {server.log_tail()}") from error
            await asyncio.sleep(0.02)
