"""Write-behind into the real database, through a relay that breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg
import pytest
from exchange.engine.ledger import Ledger
from exchange.engine.write_behind import RegionWriter
from exchange.storage import DATABASE, READ_ACCOUNT, USER
from service.occupancy import Resource
from service.wall import wall_us

from tests.support.exchange import RunningExchange
from tests.support.relay import Relay, relay_to

WITHIN_S = 15.0


async def until(holds: Callable[[], bool]) -> None:
    deadline_s = monotonic() + WITHIN_S
    while not holds():
        assert monotonic() < deadline_s
        await asyncio.sleep(0.01)


@asynccontextmanager
async def writing(port: int, ledger: Ledger) -> AsyncIterator[tuple[RegionWriter, Relay, asyncpg.Connection]]:
    """A writer behind a relay whose opening state is written, and a reader with a straight connection."""
    reader = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, database=DATABASE, ssl=False)
    async with relay_to(port) as relay:
        writer = RegionWriter("us", ("127.0.0.1", relay.port), ledger, Resource("write_behind", 1))
        writer.interval_s = 0.01
        task = asyncio.create_task(writer.run())
        await until(lambda: writer.filled)
        yield writer, relay, reader
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await reader.close()


async def wallet_and_age_s(reader: asyncpg.Connection, account: int) -> tuple[int, float]:
    row = (await reader.fetch(READ_ACCOUNT, account))[0]
    return row["wallet"], (wall_us() - row["complete_to_us"]) / 1e6


async def test_changes_arrive_and_a_cut_link_makes_them_late_but_loses_none(own_database: int) -> None:
    ledger = Ledger(40, 1)
    async with writing(own_database, ledger) as (writer, relay, reader):
        ledger.accounts[7].wallet = 700
        writer.touch(7, wall_us())
        await until(lambda: writer.pending == 0)
        await asyncio.sleep(0.05)
        assert (await wallet_and_age_s(reader, 7))[0] == 700

        relay.cut()
        ledger.accounts[8].wallet = 800
        writer.touch(8, wall_us())
        await until(lambda: writer._resource.rejections["link"] >= 2)
        assert writer.lag_s() > 0.05
        wallet, age_s = await wallet_and_age_s(reader, 8)
        assert wallet != 800
        assert age_s > 0.05
        assert writer.pending == 1

        relay.heal()
        await until(lambda: writer.pending == 0)
        await asyncio.sleep(0.05)
        wallet, age_s = await wallet_and_age_s(reader, 8)
        assert wallet == 800
        assert age_s < 5


async def test_a_batch_that_failed_goes_back_to_the_head_of_the_queue() -> None:
    writer = RegionWriter("us", ("127.0.0.1", 1), Ledger(10, 1), Resource("write_behind", 1))
    writer.batch_limit = 2
    for account, committed_us in ((3, 100), (1, 200), (2, 300)):
        writer.touch(account, committed_us)
    batch = writer._take()
    writer.touch(1, 400)
    writer._put_back(batch)
    assert list(writer._dirty.items()) == [(3, 100), (1, 200), (2, 300)]
    assert writer._resource.waiting.holders == 3


async def test_the_watermark_stops_at_the_oldest_change_that_still_waits(own_database: int) -> None:
    writer = RegionWriter("us", ("127.0.0.1", own_database), Ledger(10, 1), Resource("write_behind", 1))
    await writer._connect()
    while writer.pending:
        await writer._flush()
    writer.batch_limit = 1
    changed_us = [wall_us() - 3_000_000, wall_us() - 2_000_000]
    for account, committed_us in enumerate(changed_us):
        writer.touch(account, committed_us)
    assert writer._connection is not None
    marks = []
    for _ in changed_us:
        await writer._flush()
        marks.append(await writer._connection.fetchval("SELECT complete_to_us FROM watermark"))
    assert marks[0] == changed_us[1]
    assert 0 <= wall_us() - marks[1] < 1_500_000
    writer._drop()


@pytest.mark.parametrize("accounts", [1, 1200])
async def test_an_empty_database_is_filled_in_batches(own_database: int, accounts: int) -> None:
    ledger = Ledger(accounts, 1)
    async with writing(own_database, ledger) as (_, _, reader):
        assert await reader.fetchval("SELECT count(*) FROM positions") >= 3 * (accounts + 1)
        wallets = await reader.fetchval("SELECT sum(wallet) FROM accounts WHERE account <= $1", accounts)
        assert wallets == sum(account.wallet for account in ledger.accounts)


@pytest.fixture(scope="module")
def own_database(exchange: RunningExchange) -> int:
    """A database that no engine writes to; returns its port."""
    other = exchange.start("other", "positions", f"--data={exchange.folder}/other")
    exchange.wait_ready(other)
    return other.port


async def test_a_connection_that_confuses_its_library_is_replaced(
    own_database: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncpg does when the database is killed in the middle of a call: an error outside of its documented ones."""
    ledger = Ledger(10, 1)
    async with writing(own_database, ledger) as (writer, _, reader):
        write, broken = writer._write, [asyncpg.InternalClientError("another operation is in progress")]

        async def confused(numbers: list[int]) -> None:
            if broken:
                raise broken.pop()
            await write(numbers)

        monkeypatch.setattr(writer, "_write", confused)
        ledger.accounts[7].wallet = 700
        writer.touch(7, wall_us())
        async with asyncio.timeout(WITHIN_S):
            while (await wallet_and_age_s(reader, 7))[0] != 700:  # noqa: ASYNC110 - a row in the database
                await asyncio.sleep(0.01)
        assert not broken
