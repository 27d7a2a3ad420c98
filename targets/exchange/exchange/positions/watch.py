"""The database's own view of its connections, as the resource `connections`.

Busy is the time that sessions spent executing: PostgreSQL's cumulative `active_time` of finished statements
plus the age of the statements now running. Idle connections that a pool keeps open are not busy. The watcher
sits in another database of the server, so that its own queries are not among what it counts.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
from service.occupancy import Resource

from exchange.storage import DATABASE, LOST

_ACTIVITY = """
SELECT d.active_time / 1e3, d.xact_commit, d.xact_rollback,
       (SELECT coalesce(sum(extract(epoch FROM clock_timestamp() - a.query_start)), 0)::float8
        FROM pg_stat_activity a WHERE a.datname = d.datname AND a.state = 'active')
FROM pg_stat_database d WHERE d.datname = $1
"""


class ConnectionsResource(Resource):
    """`max_connections` as a pool; `refresh` copies busy time, arrivals and completions from PostgreSQL.

    `connect` opens the watcher's connection, at first and whenever it was lost: PostgreSQL ends every session when one
    of its processes crashes. It then also begins its statistics anew, which the counters here go on from.
    """

    def __init__(self, servers: int, connect: Callable[[], Awaitable["asyncpg.Connection"]]) -> None:
        super().__init__("connections", servers)
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._busy_s = 0.0
        self._transactions = (0, 0)  # committed and rolled back, as PostgreSQL counted them last
        self._before = (0.0, 0, 0)  # busy seconds, committed, rolled back before its statistics began anew

    async def refresh(self) -> None:
        """Read the statistics; raises `ConnectionError` where the database does not answer."""
        async with self._one_at_a_time:
            try:
                if self._connection is None:
                    self._connection = await self._connect()
                row = await self._connection.fetchrow(_ACTIVITY, DATABASE, timeout=2)
            except LOST as error:
                if self._connection is not None:
                    self._connection.terminate()
                    self._connection = None
                raise ConnectionError(f"PostgreSQL does not tell its activity: {error!r}") from error
        active_s, committed, rolled_back, running_s = row
        if committed < self._transactions[0] or rolled_back < self._transactions[1]:
            self._before = (self._busy_s, self.completions, self.rejections["rolled_back"])
        self._transactions = (committed, rolled_back)
        # A statement may leave the running ones before its time is in the total; a counter never goes back.
        busy_s = max(self._busy_s, self._before[0] + active_s + running_s)
        self.busy.add(busy_s - self._busy_s)
        self._busy_s = busy_s
        self.completions = self._before[1] + committed
        self.rejections["rolled_back"] = self._before[2] + rolled_back
        self.arrivals = self.completions + self.rejections["rolled_back"]


class ServersResource(Resource):
    """The connections of several servers as one pool: those of the primary, or of the replicas where reads go there.

    The primary's own use, to be written to, is counted in either case: a connection or two.
    """

    def __init__(self, primary: ConnectionsResource) -> None:
        super().__init__("connections", primary.servers)
        self._primary = primary
        self._replicas: list[ConnectionsResource] = []
        self._gone: list[tuple[float, int, int]] = []  # busy seconds, arrivals, completions of those that have left
        self._busy_s = 0.0

    def add(self, replica: ConnectionsResource) -> None:
        """A replica is read from, from now on."""
        self._replicas.append(replica)
        self.servers = sum(one.servers for one in self._replicas)

    def remove(self, replica: ConnectionsResource) -> None:
        """A replica is no longer read from; what it has done stays counted."""
        self._replicas.remove(replica)
        self.servers = sum(one.servers for one in self._replicas or [self._primary])
        self._gone.append((replica.busy.total_s(0.0), replica.arrivals, replica.completions))

    async def refresh(self) -> None:
        """Read the statistics of all servers; raises `ConnectionError` where the primary does not answer."""
        for replica in tuple(self._replicas):
            with contextlib.suppress(ConnectionError):  # it may be ending; what it told last stands
                await replica.refresh()
        await self._primary.refresh()
        present = [self._primary, *self._replicas]
        busy_s = sum(one.busy.total_s(0.0) for one in present) + sum(busy_s for busy_s, _, _ in self._gone)
        self.busy.add(busy_s - self._busy_s)
        self._busy_s = busy_s
        self.arrivals = sum(one.arrivals for one in present) + sum(arrivals for _, arrivals, _ in self._gone)
        self.completions = sum(one.completions for one in present) + sum(done for _, _, done in self._gone)
        self.rejections["rolled_back"] = self.arrivals - self.completions
