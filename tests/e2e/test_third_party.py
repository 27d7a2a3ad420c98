"""nginx, PostGraphile, pgbouncer and PostgreSQL: other people's software and exporters, and the cause is named.

A query takes PostgreSQL 50 ms, and the way there and back a few more. The load at which a pool gives way follows from
that and from its size: n connections, each held for a query, carry n / 53 ms.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chaoskit.analysis.result import Bottleneck
from tests.support.third_party import ThirdParty, day, third_party

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.docker,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

HELD_S = 0.053
"""How long pgbouncer holds a connection for one query: 50 ms in PostgreSQL, and the way."""

DELAY_S = 0.500
# Levels that an exporter reads twice a second tell the load at which a pool gives way to about a third.
SMALL_POOL = {"pgbouncer.pool_size": 2}
SLOW = {"latency": {"link": "pgbouncer->postgres", "delay": f"{DELAY_S * 1000:g}ms"}, "during": "surge"}


def limit_rps(found: Bottleneck) -> float:
    """Return the queries per second at which the finding says that the resource gives way."""
    assert found.saturates_at is not None, found.title
    return found.saturates_at.rates_rps["quotes"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ThirdParty]:
    """The stack with a small pool: one that is made smaller keeps the connections that it has."""
    async with third_party(SMALL_POOL, os.urandom(4).hex(), tmp_path_factory.mktemp("stack")) as up:
        yield up


async def test_a_small_pool_of_pgbouncer_is_named_by_its_exporter(stack: ThirdParty, tmp_path: Path) -> None:
    result = await stack.play(day(settings=SMALL_POOL), tmp_path)
    found = result.bottlenecks[0]
    assert (found.resource, found.setting) == ("bank/pgbouncer.servers", "pgbouncer.pool_size"), result.headline
    assert limit_rps(found) == pytest.approx(2 / HELD_S, rel=0.35)


async def test_without_exporters_only_what_the_client_saw_is_said(stack: ThirdParty, tmp_path: Path) -> None:
    result = await stack.play(day(settings=SMALL_POOL), tmp_path, blind=True)
    found = result.bottlenecks[0]
    assert (found.resource, found.kind) == ("bank", "target"), result.headline
    assert found.confidence <= 0.3
    assert limit_rps(found) == pytest.approx(2 / HELD_S, rel=0.2)
    assert any("requests wait inside the target" in evidence.statement for evidence in found.evidence)


async def test_a_slow_link_to_the_database_is_named_where_the_pool_would_have_carried_the_load(
    stack: ThirdParty, tmp_path: Path
) -> None:
    result = await stack.play(day(settings={"pgbouncer.pool_size": 8}, faults=[SLOW]), tmp_path)
    found = result.bottlenecks[0]
    assert found.resource == "link:pgbouncer->postgres", result.headline
    assert found.fault == "latency"
    assert limit_rps(found) == pytest.approx(8 / (HELD_S + DELAY_S), rel=0.35)


async def test_the_connections_that_nginx_lets_in_are_named_as_the_pool_that_is_too_small(
    stack: ThirdParty, tmp_path: Path
) -> None:
    result = await stack.play(day(settings={"nginx.connections": 10}), tmp_path)
    found = result.bottlenecks[0]
    assert (found.resource, found.setting) == ("bank/nginx.connections", "nginx.connections"), result.headline
    assert any("refused or dropped" in evidence.statement for evidence in found.evidence)


async def test_a_service_without_cpu_is_named(stack: ThirdParty, tmp_path: Path) -> None:
    result = await stack.play(day(api_cpus=0.05), tmp_path)
    assert result.bottlenecks[0].resource == "bank/api.cpu", result.headline
