"""Write-behind: what the engine has committed reaches each region's PostgreSQL later, in batches.

Accounts that changed wait in the order in which they first changed; a batch takes the oldest and writes their
newest state. Everything older than the head of the queue is in the database, and the watermark says so: the
age of the watermark is how stale a position read can be. A slow or broken link makes the queue, and the age,
grow.
"""

import asyncio
import logging
from time import monotonic

import asyncpg
from service.occupancy import Resource
from service.wall import wall_us

from exchange.engine.ledger import Ledger
from exchange.storage import DATABASE, LOST, READ_IDENTITY, USER, WRITE_BATCH
from exchange.venue import SYMBOLS

LOG = logging.getLogger(__name__)
TIMEOUT_S = 5.0
FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 1.0
LINK = "engine->positions"


class RegionWriter:
    """Carries changes to the database of one region; run `run` as a task for the engine's life."""

    def __init__(self, region: str, address: tuple[str, int], ledger: Ledger, resource: Resource) -> None:
        self.region = region
        self._host, self._port = address
        self._ledger = ledger
        self._resource = resource
        self._dirty: dict[int, int] = {}
        self._identity: int | None = None
        self._connection: asyncpg.Connection | None = None
        self.interval_s = 0.05
        self.batch_limit = 500
        self.filled = False  # whether the opening state has been written

    @property
    def pending(self) -> int:
        """Accounts whose latest state is not in the database."""
        return len(self._dirty)

    def lag_s(self) -> float:
        """Age of the oldest change that is not in the database; 0 when all are."""
        oldest_us = next(iter(self._dirty.values()), None)
        return 0.0 if oldest_us is None else max(0.0, (wall_us() - oldest_us) / 1e6)

    def touch(self, account: int, committed_us: int) -> None:
        """An account changed at wall-clock `committed_us`."""
        if account not in self._dirty:
            self._dirty[account] = committed_us
            self._resource.waiting.enter(monotonic())

    async def run(self) -> None:
        """Write for ever; a broken link is retried with growing pauses and loses nothing."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                if self._connection is None:
                    await self._connect()
                await self._flush()
                backoff_s = FIRST_BACKOFF_S
                if self.pending < self.batch_limit:
                    await asyncio.sleep(self.interval_s)
            except LOST as error:
                self._resource.rejections["link"] += 1
                LOG.warning("positions of %s are not written: %r; again in %.1f s", self.region, error, backoff_s)
                self._drop()
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    async def _connect(self) -> None:
        self._connection = connection = await asyncpg.connect(
            host=self._host, port=self._port, user=USER, database=DATABASE, ssl=False, timeout=TIMEOUT_S
        )
        identity = await connection.fetchval(READ_IDENTITY, timeout=TIMEOUT_S)
        if identity != self._identity:
            self._identity = identity  # an empty database, at the start or after it was lost: write everything
            committed_us = wall_us()
            for account in self._ledger.accounts:
                self.touch(account.number, committed_us)

    async def _flush(self) -> None:
        """Write one batch, or just a new watermark where nothing changed."""
        batch = self._take()
        started_s = monotonic()
        self._resource.busy.enter(started_s)
        self._resource.blocked_on(LINK).enter(started_s)
        try:
            await self._write(list(batch))
        except BaseException:
            self._put_back(batch)
            raise
        finally:
            now_s = monotonic()
            self._resource.busy.leave(started_s, now_s)
            self._resource.blocked_on(LINK).leave(started_s, now_s)
        self._resource.completions += len(batch)
        self.filled = self.filled or not self._dirty

    def _take(self) -> dict[int, int]:
        numbers = [number for number, _ in zip(self._dirty, range(self.batch_limit), strict=False)]
        now_s, now_us = monotonic(), wall_us()
        batch = {}
        for number in numbers:
            batch[number] = committed_us = self._dirty.pop(number)
            self._resource.arrivals += 1
            self._resource.waiting.leave(now_s - (now_us - committed_us) / 1e6, now_s)
        return batch

    def _put_back(self, batch: dict[int, int]) -> None:
        changed_since = [number for number in self._dirty if number not in batch]
        now_s, now_us = monotonic(), wall_us()
        for number, committed_us in batch.items():
            if number not in self._dirty:
                self._resource.waiting.enter(now_s - (now_us - committed_us) / 1e6)
        self._dirty = batch | {number: self._dirty[number] for number in changed_since}

    async def _write(self, numbers: list[int]) -> None:
        """One round trip: the accounts, their positions and the new watermark."""
        assert self._connection is not None
        complete_to_us = next(iter(self._dirty.values()), wall_us())
        accounts = [self._ledger.accounts[number] for number in numbers]
        positions = [
            (account.number, symbol.index, account.positions[symbol.index])
            for account in accounts
            for symbol in SYMBOLS
        ]
        await self._connection.execute(
            WRITE_BATCH,
            numbers,
            [account.wallet for account in accounts],
            [account.updated_us for account in accounts],
            [number for number, _, _ in positions],
            [symbol for _, symbol, _ in positions],
            [position.lots for _, _, position in positions],
            [position.cost for _, _, position in positions],
            complete_to_us,
            timeout=TIMEOUT_S,
        )

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
