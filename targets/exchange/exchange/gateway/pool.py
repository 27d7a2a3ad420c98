"""A pool of connections to the region's PostgreSQL that measures itself and mends itself.

Each place of the pool is a task's worth of care: it connects, prepares its statements, and when its
connection breaks or a query overstays, the connection is aborted and the place connects again, with growing
pauses, for ever. A place that connects again counts as busy and waiting for the link: nobody can use it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg
from service.occupancy import Resource

from exchange.failures import backend_timeout
from exchange.storage import DATABASE, LOST, READ_ACCOUNT, READER, USER

LOG = logging.getLogger(__name__)
LINK = "gateway->positions"
CONNECT_WITHIN_S = 1.0
FIRST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0


@dataclass(slots=True, eq=False)
class _Place:
    connection: "asyncpg.Connection"
    read_account: "asyncpg.prepared_stmt.PreparedStatement"
    held_since_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Waiter:
    arrived_s: float
    place: "asyncio.Future[_Place]"


class Pool(Resource):
    """`size` connections, first come first served: `start` opens them, `close` ends them.

    A query that is under way may take `query_timeout_s`, however long its caller waited for the connection: cut
    at the caller's deadline it would cost its connection too, and a crowded pool would do little but connect again.
    """

    def __init__(self, address: tuple[str, int], size: int, query_timeout_s: float) -> None:
        super().__init__("db_pool", size)
        self._host, self._port = address
        self._query_timeout_s = query_timeout_s
        self._size = size
        self._idle: list[_Place] = []
        self._waiters: deque[_Waiter] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: list[asyncio.Task[None]] = []  # places beyond those of the start that were never open yet
        self._surplus = 0  # places that are to be given up as soon as they are free
        self._query = self.blocked_on(LINK)
        self.open = 0
        self.connect_failures = 0

    def start(self) -> None:
        """Begin to open all connections."""
        for _ in range(self._size):
            self._open_one()

    def grow(self, places: int) -> None:
        """Begin to open more connections; one counts when it is open first."""
        kept = min(places, self._surplus)
        self._surplus -= kept
        self.servers += kept
        self._coming += [self._open_one() for _ in range(places - kept)]

    def shrink(self, places: int) -> None:
        """Give up some connections: first what is not open yet, at last what is in use, as soon as it is free."""
        while places and self._coming:
            self._coming.pop().cancel()
            places -= 1
        self.servers -= places
        self._surplus += places
        while self._surplus and self._idle:
            self._give_up_place(self._idle.pop())

    def _give_up_place(self, place: _Place) -> None:
        self._surplus -= 1
        self.open -= 1
        place.connection.terminate()

    async def close(self) -> None:
        """Stop connecting and abort all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._idle:
            self._idle.pop().connection.terminate()

    async def read_account(self, account: int, deadline_s: float) -> list[Any]:
        """The rows of one account (see `exchange.storage.READ_ACCOUNT`).

        Raises `Refusal` -1007 where no connection comes free by monotonic `deadline_s`, or the database then does
        not answer within the pool's time-out.
        """
        place = await self._acquire(deadline_s)
        healthy = False
        try:
            rows: list[Any] = await place.read_account.fetch(account, timeout=self._query_timeout_s)
            healthy = True
        except LOST as error:
            self.rejections["timeout" if isinstance(error, TimeoutError) else "broken"] += 1
            raise backend_timeout() from error
        finally:
            if healthy:
                self.completions += 1
                self._release(place)
            else:
                self._discard(place)
        return rows

    async def _acquire(self, deadline_s: float) -> _Place:
        now_s = monotonic()
        self.arrivals += 1
        while self._idle:
            place = self._idle.pop()
            self._hold(place, now_s)
            if not place.connection.is_closed():
                return place
            self._discard(place)
        loop = asyncio.get_running_loop()
        waiter = _Waiter(now_s, loop.create_future())
        self._waiters.append(waiter)
        self.waiting.enter(now_s)
        expiry = loop.call_later(max(0.0, deadline_s - now_s), self._expire, waiter)
        try:
            return await waiter.place
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise
        finally:
            expiry.cancel()

    def _give_up(self, waiter: _Waiter) -> None:
        """Forget a waiter whose caller went away; a place that it was just handed goes to the next one."""
        if waiter.place.cancelled():
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                self.waiting.leave(waiter.arrived_s, monotonic())
        elif waiter.place.exception() is None:
            self._release(waiter.place.result())

    def _hold(self, place: _Place, now_s: float) -> None:
        """From here on the place is in use, and all of that time it waits for the database behind the link."""
        place.held_since_s = now_s
        self.busy.enter(now_s)
        self._query.enter(now_s)

    def _let_go(self, held_since_s: float, now_s: float) -> None:
        self._query.leave(held_since_s, now_s)
        self.busy.leave(held_since_s, now_s)

    def _release(self, place: _Place) -> None:
        """Take a place back that was held, and hand it to whoever waits longest."""
        now_s = monotonic()
        self._let_go(place.held_since_s, now_s)
        self._offer(place, now_s)

    def _offer(self, place: _Place, now_s: float) -> None:
        if self._surplus:
            self._give_up_place(place)
            return
        while self._waiters and self._waiters[0].place.cancelled():
            self._give_up(self._waiters[0])
        if not self._waiters:
            self._idle.append(place)
            return
        waiter = self._waiters.popleft()
        self.waiting.leave(waiter.arrived_s, now_s)
        self._hold(place, now_s)
        waiter.place.set_result(place)

    def _expire(self, waiter: _Waiter) -> None:
        if not waiter.place.done():
            self._waiters.remove(waiter)
            self.waiting.leave(waiter.arrived_s, monotonic())
            self.rejections["acquire_timeout"] += 1
            waiter.place.set_exception(backend_timeout())

    def _discard(self, place: _Place) -> None:
        """Connect a place again that was held; it stays held until then."""
        self.open -= 1
        place.connection.terminate()
        self._open_one(place.held_since_s)

    def _open_one(self, held_since_s: float | None = None) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(self._connect(held_since_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _connect(self, held_since_s: float | None) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                place = await self._prepare()
            except LOST as error:
                self.connect_failures += 1
                LOG.debug("no connection to the positions database: %r; again in %.2f s", error, backoff_s)
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)
            else:
                now_s = monotonic()
                self.open += 1
                if (task := asyncio.current_task()) in self._coming:
                    self._coming.remove(task)
                    self.servers += 1
                if held_since_s is not None:
                    self._let_go(held_since_s, now_s)
                self._offer(place, now_s)
                return

    async def _prepare(self) -> _Place:
        connection = await asyncpg.connect(
            host=self._host,
            port=self._port,
            user=USER,
            database=DATABASE,
            ssl=False,
            timeout=CONNECT_WITHIN_S,
            server_settings={"application_name": READER},
        )
        with contextlib.ExitStack() as undo:
            undo.callback(connection.terminate)
            place = _Place(connection, await connection.prepare(READ_ACCOUNT, timeout=CONNECT_WITHIN_S))
            # Proves the link in both directions, and ends the exchange that preparing leaves open: until then
            # PostgreSQL would show the session as active.
            await place.read_account.fetch(0, timeout=CONNECT_WITHIN_S)
            undo.pop_all()
        return place
