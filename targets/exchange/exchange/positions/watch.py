"""The database's own view of its connections, as the resource `connections`.

Busy is the time that sessions spent executing: PostgreSQL's cumulative `active_time` of finished statements
plus the age of the statements now running. Idle connections that a pool keeps open are not busy. The watcher
sits in another database of the server, so that its own queries are not among what it counts.
"""

import asyncio

import asyncpg

from exchange.occupancy import Resource
from exchange.storage import DATABASE

_ACTIVITY = """
SELECT d.active_time / 1e3, d.xact_commit, d.xact_rollback,
       (SELECT coalesce(sum(extract(epoch FROM clock_timestamp() - a.query_start)), 0)::float8
        FROM pg_stat_activity a WHERE a.datname = d.datname AND a.state = 'active')
FROM pg_stat_database d WHERE d.datname = $1
"""


class ConnectionsResource(Resource):
    """`max_connections` as a pool; `refresh` copies busy time, arrivals and completions from PostgreSQL."""

    def __init__(self, servers: int) -> None:
        super().__init__("connections", servers)
        self._busy_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self, connection: "asyncpg.Connection") -> None:
        """Read the statistics; raises `ConnectionError` where the database does not answer."""
        async with self._one_at_a_time:
            try:
                row = await connection.fetchrow(_ACTIVITY, DATABASE, timeout=2)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise ConnectionError(f"PostgreSQL does not tell its activity: {error!r}") from error
        active_s, committed, rolled_back, running_s = row
        # A statement may leave the running ones before its time is in the total; a counter never goes back.
        busy_s = max(self._busy_s, active_s + running_s)
        self.busy.add(busy_s - self._busy_s)
        self._busy_s = busy_s
        self.completions = committed
        self.rejections["rolled_back"] = rolled_back
        self.arrivals = committed + rolled_back
