"""Unmodified ccxt.pro against a running gateway: the streams that traders watch."""

import asyncio
from collections.abc import AsyncIterator

import ccxt.pro
import pytest

from tests.support.ccxt_client import listener
from tests.support.exchange import RunningExchange

SYMBOL = "BTC/USDT:USDT"
OTHER = "SOL/USDT:USDT"
WITHIN_S = 10.0


@pytest.fixture
async def client(exchange: RunningExchange) -> AsyncIterator[ccxt.pro.binanceusdm]:
    opened = listener(exchange.components["gateway"].port, 21)
    try:
        await opened.load_markets()
        yield opened
    finally:
        await opened.close()


async def test_a_watched_book_stays_what_the_venue_has(client: ccxt.pro.binanceusdm) -> None:
    """Ten changes of the book, each chained to the one before, and no checksum error among them."""
    async with asyncio.timeout(WITHIN_S):
        nonces = []
        for number in range(10):
            await client.create_order(SYMBOL, "limit", "buy", 0.001, 59_000 + number)
            book = await client.watch_order_book(SYMBOL)
            nonces.append(book["nonce"])
            assert book["bids"][0][0] < book["asks"][0][0]
        for order in await client.fetch_open_orders(SYMBOL):
            await client.cancel_order(order["id"], SYMBOL)
    assert nonces == sorted(nonces)
    assert nonces[-1] > nonces[0]


async def test_the_watched_book_and_the_fetched_one_are_the_same(client: ccxt.pro.binanceusdm) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            await client.create_order(SYMBOL, "market", "buy", 0.001)
            watched = await client.watch_order_book(SYMBOL)
            fetched = await client.fetch_order_book(SYMBOL, 100)
            if watched["nonce"] == fetched["nonce"]:
                break
    assert [list(level) for level in watched["bids"][:100]] == fetched["bids"]
    assert [list(level) for level in watched["asks"][:100]] == fetched["asks"]


async def test_public_trades_tickers_and_marks(client: ccxt.pro.binanceusdm) -> None:
    async with asyncio.timeout(WITHIN_S):
        watching = asyncio.gather(
            client.watch_trades(SYMBOL),
            client.watch_trades_for_symbols([OTHER], params={"name": "aggTrade"}),
            client.watch_mark_price(SYMBOL),
            client.watch_mark_prices(),
            client.watch_ticker(SYMBOL),
            client.watch_tickers(),
            client.watch_bids_asks([SYMBOL]),
        )
        while not watching.done():
            await client.create_order(SYMBOL, "market", "sell", 0.002)
            await client.create_order(OTHER, "market", "buy", 1)
            await asyncio.wait([watching], timeout=0.05)
        trades, aggregates, mark, marks, ticker, tickers, tops = await watching
    assert (trades[-1]["amount"], trades[-1]["side"]) == (0.002, "sell")
    assert (aggregates[-1]["amount"], aggregates[-1]["side"]) == (1.0, "buy")
    assert mark["markPrice"] == pytest.approx(ticker["last"], rel=0.01)
    assert set(marks) == set(tickers) == {SYMBOL, OTHER, "ETH/USDT:USDT"}
    assert tops[SYMBOL]["bid"] < tops[SYMBOL]["ask"]


async def test_an_account_hears_of_its_orders_fills_balance_and_positions(client: ccxt.pro.binanceusdm) -> None:
    async with asyncio.timeout(WITHIN_S):
        orders = asyncio.ensure_future(client.watch_orders(SYMBOL))
        fills = asyncio.ensure_future(client.watch_my_trades(SYMBOL))
        balance = asyncio.ensure_future(client.watch_balance())
        positions = asyncio.ensure_future(client.watch_positions([SYMBOL]))
        placed = None
        while not all(task.done() for task in (orders, fills, balance, positions)):
            placed = await client.create_order(SYMBOL, "market", "buy", 0.003)
            await asyncio.sleep(0.05)
        assert (await fills)[-1]["amount"] == 0.003
        assert (await fills)[-1]["fee"]["currency"] == "USDT"
        assert (await balance)["USDT"]["total"] == pytest.approx((await client.fetch_balance())["USDT"]["total"], 1e-4)
        assert (await positions)[-1]["symbol"] == SYMBOL
        assert placed is not None
        while client.orders.hashmap[SYMBOL].get(placed["id"], {}).get("status") != "closed":
            await client.watch_orders(SYMBOL)
        assert client.orders.hashmap[SYMBOL][placed["id"]]["filled"] == 0.003


async def test_a_stop_is_watched_from_its_acceptance_to_its_cancellation(client: ccxt.pro.binanceusdm) -> None:
    async with asyncio.timeout(WITHIN_S):
        heard = asyncio.ensure_future(client.watch_orders(OTHER))
        await asyncio.sleep(0.3)  # until the stream is open: what came before is not told
        stop = await client.create_order(OTHER, "market", "sell", 1, None, {"stopLossPrice": 50})
        assert (await heard)[-1]["triggerPrice"] == 50
        heard = asyncio.ensure_future(client.watch_orders(OTHER))
        await asyncio.sleep(0)
        await client.cancel_order(stop["id"], OTHER, {"trigger": True})
        assert (await heard)[-1]["status"] == "canceled"
