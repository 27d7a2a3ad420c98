"""The link against the real engine, through a relay that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import orjson
import pytest
from exchange.failures import Refusal
from exchange.gateway.engine_link import EngineLink

from tests.support.exchange import RunningExchange
from tests.support.relay import Relay, relay_to

RECOVERED_WITHIN_S = 20.0
OPEN_ORDERS = ["open", 5, None]


@asynccontextmanager
async def linked(exchange: RunningExchange, timeout_s: float = 0.5) -> AsyncIterator[tuple[EngineLink, Relay]]:
    """A link through a relay, greeted and with market data."""
    fed = asyncio.Event()
    async with relay_to(exchange.components["engine"].port) as relay:
        link = EngineLink(("127.0.0.1", relay.port), timeout_s)
        link.on_feed = lambda _snapshot: fed.set()
        task = asyncio.create_task(link.run())
        await fed.wait()
        yield link, relay
        task.cancel()


async def until_served(link: EngineLink) -> None:
    deadline_s = monotonic() + RECOVERED_WITHIN_S
    while True:
        try:
            assert (await link.call(OPEN_ORDERS))[0] == 200
        except Refusal:
            assert monotonic() < deadline_s, "the link never recovered"
            await asyncio.sleep(0.02)
        else:
            return


async def test_many_calls_are_in_flight_at_once(exchange: RunningExchange) -> None:
    async with linked(exchange, timeout_s=10) as (link, _):
        assert link.accounts == 200
        answers = await asyncio.gather(
            *(link.call(["query", 5, 0, number, None]) for number in range(10**9, 10**9 + 100))
        )
        assert {(status, orjson.loads(body)["code"]) for status, body in answers} == {(400, -2013)}


async def test_a_cut_link_fails_pending_calls_at_once_and_mends(exchange: RunningExchange) -> None:
    async with linked(exchange, timeout_s=30) as (link, relay):
        relay.black_hole()
        pending = link.call(OPEN_ORDERS)
        relay.cut()
        with pytest.raises(Refusal) as unknown:
            await pending
        assert (unknown.value.status, unknown.value.code) == (503, -1007)
        assert not link.connected
        with pytest.raises(Refusal) as certain:
            await link.call(OPEN_ORDERS)
        assert certain.value.code == -1001
        relay.heal()
        await until_served(link)
        assert link.reconnects >= 1


async def test_a_black_hole_ends_calls_in_time_and_mends(exchange: RunningExchange) -> None:
    async with linked(exchange) as (link, relay):
        relay.black_hole()
        started_s = monotonic()
        with pytest.raises(Refusal) as unknown:
            await link.call(OPEN_ORDERS)
        assert unknown.value.code == -1007
        assert monotonic() - started_s < 5
        relay.heal()
        await until_served(link)


async def test_a_call_ends_by_its_own_deadline_and_the_link_is_kept(exchange: RunningExchange) -> None:
    async with linked(exchange, timeout_s=30) as (link, relay):
        relay.black_hole()
        patient = link.call(OPEN_ORDERS)
        started_s = monotonic()
        with pytest.raises(Refusal) as unknown:
            await link.call(OPEN_ORDERS, deadline_s=started_s + 0.2)
        assert unknown.value.code == -1007
        assert 0.2 <= monotonic() - started_s < 5
        assert link.connected
        assert not patient.done()
        patient.cancel()
