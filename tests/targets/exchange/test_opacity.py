"""A cascade in real components, and what the outside is told of it: by the feed, by ccxt.pro, to an account."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from tests.support.ccxt_client import listener, trader
from tests.support.exchange import Component, RunningExchange, running_exchange

ACCOUNTS = 1_000
THIN = ("--liquidations=on", "--opening-leverage=100", "--maker-depth=1000", "--maker-patience=1")
WITHIN_S = 30.0


async def commands(engine: Component, wanted: list[list[Any]]) -> list[Any]:
    """What the engine answers to each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port, limit=2**20)
    for number, command in enumerate(wanted):
        writer.write(b"%d %s\n" % (number, orjson.dumps(command)))
    await writer.drain()
    answers = {}
    for _ in wanted:
        answered, _, body = (await reader.readline()).split(b" ", 2)
        answers[int(answered)] = orjson.loads(body)
    writer.close()
    return [answers[number] for number in range(len(wanted))]


async def crash(exchange: RunningExchange, *, liquidations: int) -> None:
    """Sell until so many were liquidated, and a second longer, so that the last of them can be told."""
    engine = exchange.components["engine"]
    terms = [0, False, "MARKET", 0, 10, "IOC", "", False]
    async with asyncio.timeout(WITHIN_S):
        while engine.metrics()["exchange_liquidations_total"] < liquidations:
            await commands(engine, [["order", number, 10**15, terms] for number in range(ACCOUNTS // 4)])
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.2)


async def hear(exchange: RunningExchange, told: list[dict[str, Any]]) -> None:
    gateway = exchange.components["gateway"]
    async with connect(f"ws://127.0.0.1:{gateway.port}/ws/!forceOrder@arr", proxy=None) as socket:
        while True:
            told.append(json.loads(await socket.recv()))


@pytest.mark.parametrize("feed", ["latest", "largest", "all"])
async def test_what_the_feed_leaves_out_is_counted(tmp_path: Path, feed: str) -> None:
    with running_exchange(tmp_path, f"--accounts={ACCOUNTS}", f"--force-order-feed={feed}", *THIN) as exchange:
        told: list[dict[str, Any]] = []
        hearing = asyncio.ensure_future(hear(exchange, told))
        await asyncio.sleep(0.2)
        await crash(exchange, liquidations=100)
        metrics = exchange.components["engine"].metrics()
        hearing.cancel()
    happened, published = metrics["exchange_liquidations_total"], metrics["exchange_liquidations_published_total"]
    assert len(told) == pytest.approx(published, abs=3)
    assert {event["o"]["X"] for event in told} <= {"FILLED", "PARTIALLY_FILLED"}
    if feed == "all":
        assert happened - published < 0.1 * happened  # those of the last tenth of a second
    else:
        assert happened > 5 * published
        seconds = Counter((event["o"]["s"], event["E"] // 1000) for event in told)
        assert max(seconds.values()) == 1


async def test_ccxt_sees_the_liquidations_of_all_and_an_account_its_own(tmp_path: Path) -> None:
    with running_exchange(tmp_path, f"--accounts={ACCOUNTS}", "--insurance-fund=1000", *THIN) as exchange:
        port = exchange.components["gateway"].port
        client = listener(port, 500)
        try:
            async with asyncio.timeout(WITHIN_S):
                watching = asyncio.gather(
                    client.watch_liquidations_for_symbols([]), client.watch_liquidations("BTC/USDT:USDT")
                )
                liquidations = 0
                while not watching.done():  # what came before they were subscribed is not told
                    liquidations += 20
                    await crash(exchange, liquidations=liquidations)
                everywhere, bitcoin = await watching
            assert everywhere[0]["contracts"] > 0
            assert bitcoin[0]["symbol"] == "BTC/USDT:USDT"
        finally:
            await client.close()
        engine = exchange.components["engine"]
        asked = [["forced orders", number, None, "LIQUIDATION", 100] for number in range(ACCOUNTS)]
        answers = await commands(engine, asked)
        number, orders = next((number, orders) for number, orders in enumerate(answers) if orders)
        own = trader(port, number)
        own.load_markets()
        found = own.fetch_my_liquidations(own.safe_symbol(orders[0]["symbol"]))
        assert found[0]["info"]["clientOrderId"] == orders[0]["clientOrderId"]
        balance = float(own.fapiPublicGetInsuranceBalance()["assets"][0]["marginBalance"])
        assert balance == pytest.approx(engine.metrics()["exchange_insurance_fund_usdt"], rel=0.5, abs=1_000)
