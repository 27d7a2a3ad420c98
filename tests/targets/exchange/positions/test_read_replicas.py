"""Read replicas: real streaming replication, late by as much as it is told, behind one address."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from exchange.gateway.pool import Pool
from exchange.storage import DATABASE, READER, USER

from tests.support.exchange import Component, RunningExchange

DELAY_S = 0.8
WITHIN_S = 30.0
CONNECTIONS = 'resource_servers{resource="connections"}'


@contextmanager
def positions(folder: Path, *arguments: str) -> Iterator[Component]:
    running = RunningExchange(folder)
    component = running.start("positions", "positions", f"--data={folder}/pg", "--max-connections=20", *arguments)
    try:
        running.wait_ready(component)
        yield component
    finally:
        component.stop()


async def session(component: Component, name: str) -> "asyncpg.Connection":
    return await asyncpg.connect(
        host="127.0.0.1", port=component.port, user=USER, database=DATABASE, ssl=False,
        timeout=WITHIN_S, server_settings={"application_name": name},
    )  # fmt: skip


async def servers_of(sessions: list["asyncpg.Connection"]) -> list[str]:
    """The folder of the server behind each."""
    return [Path(await one.fetchval("SHOW data_directory")).name for one in sessions]


async def test_reads_go_round_the_replicas_and_are_as_old_as_they_were_told(tmp_path: Path) -> None:
    with positions(tmp_path, "--read-replicas=2", f"--replication-delay={int(1000 * DELAY_S)}ms") as component:
        writer = await session(component, "")
        readers = [await session(component, READER) for _ in range(4)]
        assert await servers_of([writer]) == ["pg"]
        assert sorted(await servers_of(readers)) == 2 * ["pg-replica-1"] + 2 * ["pg-replica-2"]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await readers[0].execute("UPDATE watermark SET complete_to_us = 1")
        for reader in readers[:2]:
            before_s = time.monotonic()
            await writer.execute("UPDATE watermark SET complete_to_us = complete_to_us + 1")
            written = await writer.fetchval("SELECT complete_to_us FROM watermark")
            while await reader.fetchval("SELECT complete_to_us FROM watermark") != written:
                assert time.monotonic() < before_s + WITHIN_S
                await asyncio.sleep(0.01)
            assert time.monotonic() - before_s >= DELAY_S
        assert component.metrics()[CONNECTIONS] == 40
        for one in (writer, *readers):
            await one.close()


def test_what_clients_are_told_is_older_by_the_delay_of_the_replicas(tmp_path: Path) -> None:
    running = RunningExchange(tmp_path)
    try:
        database = running.start(
            "positions", "positions", f"--data={tmp_path}/pg", "--read-replicas=1", "--replication-delay=700ms"
        )
        running.wait_ready(database)
        engine = running.start("engine", "engine", f"--positions=us=127.0.0.1:{database.port}", "--accounts=20")
        running.wait_ready(engine)
        asyncio.run(read_through_a_pool(database.port))
        before = database.metrics()
        asyncio.run(read_through_a_pool(database.port))
        after = database.metrics()
        done = 'resource_completions_total{resource="connections"}'
        assert after[done] >= before[done] + 20
        assert all(after[name] >= before[name] for name in before if name.startswith("resource_"))
    finally:
        for component in reversed(running.components.values()):
            component.stop()


async def read_through_a_pool(port: int) -> None:
    """Read an account, as a gateway would, until it is there; then it is as old as the replica is late."""
    pool = Pool(("127.0.0.1", port), 2, 2.0)
    pool.start()
    deadline_s = time.monotonic() + WITHIN_S
    while not (rows := await pool.read_account(1, time.monotonic() + 5)):
        assert time.monotonic() < deadline_s
    for _ in range(20):
        rows = await pool.read_account(1, time.monotonic() + 5)
    assert time.time() - rows[0]["complete_to_us"] / 1e6 >= 0.69  # the wall clock may be set by a little meanwhile
    await pool.close()


async def test_an_autoscaler_adds_a_replica_that_takes_new_connections(tmp_path: Path) -> None:
    autoscaler = ("--autoscaler=reactive", "--least-replicas=2", "--sync-period=100ms", "--boot-delay=100ms")
    with positions(tmp_path, "--read-replicas=1", *autoscaler) as component:
        deadline_s = time.monotonic() + WITHIN_S
        while (metrics := component.metrics())[CONNECTIONS] < 40:
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.02)
        assert metrics["exchange_replicas_serving"] == 2
        readers = [await session(component, READER) for _ in range(2)]
        assert sorted(await servers_of(readers)) == ["pg-replica-1", "pg-replica-2"]
        for reader in readers:
            await reader.close()


async def test_a_replica_that_leaves_cuts_its_readers_off_and_the_rest_serve(tmp_path: Path) -> None:
    autoscaler = ("--autoscaler=reactive", "--most-replicas=1", "--sync-period=2s")
    with positions(tmp_path, "--read-replicas=2", *autoscaler) as component:
        readers = [await session(component, READER) for _ in range(2)]
        deadline_s = time.monotonic() + WITHIN_S
        while all(not reader.is_closed() for reader in readers):
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.02)
        assert component.metrics()[CONNECTIONS] == 20
        again = await session(component, READER)
        assert await servers_of([again]) == await servers_of([one for one in readers if not one.is_closed()])
        await again.close()
        for reader in readers:
            await reader.close()


def kill_server(folder: Path) -> None:
    """End the server of a cluster at once, as a lost machine would."""
    postmaster = int((folder / "postmaster.pid").read_text().splitlines()[0])
    psutil.Process(postmaster).send_signal(signal.SIGQUIT)


async def test_reads_outlive_their_replicas(tmp_path: Path) -> None:
    with positions(tmp_path, "--read-replicas=1") as component:
        reader = await session(component, READER)
        kill_server(tmp_path / "pg-replica-1")
        deadline_s = time.monotonic() + WITHIN_S
        while not reader.is_closed():
            assert time.monotonic() < deadline_s
            await asyncio.sleep(0.02)
        again = await session(component, READER)
        assert await servers_of([again]) == ["pg"]
        assert component.metrics()[CONNECTIONS] == 20
        await again.close()


async def test_an_autoscaler_replaces_a_replica_that_died(tmp_path: Path) -> None:
    autoscaler = ("--autoscaler=reactive", "--sync-period=200ms", "--boot-delay=0s")
    with positions(tmp_path, "--read-replicas=1", *autoscaler) as component:
        kill_server(tmp_path / "pg-replica-1")
        deadline_s = time.monotonic() + WITHIN_S
        served_by = ["pg-replica-1"]
        while served_by != ["pg-replica-2"]:
            assert time.monotonic() < deadline_s
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                reader = await session(component, READER)
                served_by = await servers_of([reader])
                await reader.close()
            await asyncio.sleep(0.02)
        metrics = component.metrics()
        assert (metrics["exchange_replicas_serving"], metrics["exchange_replicas_wanted"]) == (1, 1)


def test_a_killed_wrapper_takes_its_replicas_along_and_starts_again(tmp_path: Path) -> None:
    with positions(tmp_path, "--read-replicas=2") as component:
        processes = psutil.Process(component.process.pid).children(recursive=True)
        component.process.send_signal(signal.SIGKILL)
        component.process.wait(WITHIN_S)
        _, alive = psutil.wait_procs(processes, timeout=WITHIN_S)
        assert not alive
    with positions(tmp_path, "--read-replicas=2") as again:
        assert again.metrics()[CONNECTIONS] == 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--autoscaler=reactive"], "give --read-replicas of at least 1"),
        (["--read-replicas=9"], "there can be 8 read replicas at most"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], said: str, tmp_path: Path) -> None:
    running = RunningExchange(tmp_path)
    component = running.start("positions", "positions", f"--data={tmp_path}/pg", *arguments)
    assert component.process.wait(WITHIN_S) == 2
    assert said in (tmp_path / "positions.log").read_text()
