"""Read replicas of the region's database: PostgreSQL's own streaming replication, applied late on purpose.

Each is a copy of the primary (`pg_basebackup`) that then follows its write-ahead log and applies every commit
`recovery_min_apply_delay` after it was made, as a replica does whose disk or network cannot follow.
"""

import asyncio
import contextlib
import logging
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import monotonic

from service.occupancy import Resource

from exchange.positions.postgres import PostgresServer, StartFailed, command, own_folder, wait_for_predecessor
from exchange.positions.router import Router
from exchange.positions.session import first_session, open_session
from exchange.positions.watch import ConnectionsResource, ServersResource
from exchange.replicas import Replicas
from exchange.storage import DATABASE, USER

LOG = logging.getLogger(__name__)

MOST = 8
REPLICATION: Mapping[str, str] = {
    "hot_standby_feedback": "on",  # vacuum waits for reads of replicas, instead of cutting them off
    "max_wal_senders": str(2 * MOST + 2),  # a copy under way has two
    "wal_keep_size": "256MB",
    "wal_level": "replica",
}
"""Configuration that primary and replicas share: a replica must allow at least what its primary does."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class ReadReplicas:
    """A tier of read replicas behind a router; `resource` is all servers that are read from, taken together.

    `on_lost` is called for each replica that could not be started, or ended by itself.
    """

    def __init__(self, router: Router, resource: ServersResource, delay_ms: int) -> None:
        self._router = router
        self._delay_ms = delay_ms
        self._numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_lost: Callable[[], None] = _ignore
        self._watched: dict[PostgresServer, ConnectionsResource] = {}
        self.servers = resource
        self.resource: Resource = resource

    async def start(self, count: int) -> None:
        """Have `count` replicas; raises `StartFailed` where one cannot be made."""
        await asyncio.gather(*(self._add() for _ in range(count)))

    def join(self, now_s: float) -> None:  # noqa: ARG002 - a tier's signature
        """Copy the primary into one more replica, which serves when it has started."""
        task = asyncio.get_running_loop().create_task(self._try())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def leave(self, now_s: float) -> None:  # noqa: ARG002 - a tier's signature
        """Stop the newest replica; who is connected to it is cut off."""
        if self._router.replicas:
            self._forget(self._router.replicas[-1])

    def bury(self) -> None:
        """Route nothing more to replicas that have ended by themselves."""
        for server in [server for server in self._watched if server.exit_code() is not None]:
            LOG.warning("the read replica in %s ended by itself: %s", server.data, server.log_tail(400))
            self._forget(server)
            self.on_lost()

    async def follow(self, replicas: Replicas) -> None:
        """Let an autoscaler move the number of replicas, for ever."""
        while True:
            with contextlib.suppress(ConnectionError):  # the primary does not answer: its figures stand
                await self.servers.refresh()
            now_s = monotonic()
            await asyncio.sleep(max(0.001, replicas.advance(now_s) - now_s))

    async def close(self) -> None:
        """Give up copies under way, and stop all replicas."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._watched:
            await asyncio.to_thread(server.stop)

    def _forget(self, server: PostgresServer) -> None:
        self._router.remove(server)
        self.servers.remove(self._watched.pop(server))
        server.signal_stop()

    async def _try(self) -> None:
        try:
            await self._add()
        except StartFailed as error:
            LOG.warning("a read replica could not be started: %s", error)
            self.on_lost()

    async def _add(self) -> None:
        self._numbers += 1
        primary = self._router.primary
        data = primary.data.with_name(f"{primary.data.name}-replica-{self._numbers}")
        await asyncio.to_thread(_copy, primary, data)
        follows = {
            "primary_conninfo": f"host=127.0.0.1 port={primary.port} user={USER}",
            "recovery_min_apply_delay": f"{self._delay_ms}ms",
        }
        server = PostgresServer(data, "127.0.0.1", free_port(), primary.max_connections, {**REPLICATION, **follows})
        server.start()
        try:
            await (await first_session(server, DATABASE)).close()
        except BaseException:
            server.stop()
            raise
        watched = self._watched[server] = ConnectionsResource(
            primary.max_connections, partial(open_session, server, "postgres")
        )
        self.servers.add(watched)
        self._router.replicas.append(server)


def _ignore() -> None:
    """Nobody counts the replicas."""


def _copy(primary: PostgresServer, data: Path) -> None:
    """Copy the primary's cluster into the folder `data`; raises `StartFailed` with the words of `pg_basebackup`."""
    if data.exists():  # of a wrapper that was killed, whose replica may still be ending
        wait_for_predecessor(data)
        shutil.rmtree(data)
    own_folder(data)
    source = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", USER, "-D", str(data)]
    options = ["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--no-manifest"]
    done = subprocess.run(command("pg_basebackup", *source, *options), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartFailed(f"pg_basebackup could not copy the primary into {data}: {done.stderr.strip()}")
    (data / "server.log").unlink(missing_ok=True)  # the primary's
    (data / "standby.signal").touch()
