"""Forced sales that set off further ones, in real components."""

import asyncio
import time
from pathlib import Path

import orjson

from tests.support.exchange import Component, running_exchange

ACCOUNTS = 1_000
WITHIN_S = 20.0


async def sell(engine: Component, accounts: range) -> list[str]:
    """Each account sells 10 lots at the market; returns what they were told: a status or a code."""
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    for number in accounts:
        terms = [0, False, "MARKET", 0, 10, "IOC", "", False]
        writer.write(b"%d %s\n" % (number, orjson.dumps(["order", number, 10**15, terms])))
    await writer.drain()
    answers = [orjson.loads((await reader.readline()).split(b" ", 2)[2]) for _ in accounts]
    writer.close()
    return [str(answer.get("code", answer.get("status"))) for answer in answers]


def test_a_circuit_breaker_stops_a_cascade_while_trading_is_halted(tmp_path: Path) -> None:
    settings = ("--liquidations=on", "--opening-leverage=100", "--maker-depth=1000", "--maker-patience=1")
    breaker = ("--circuit-breaker=1", "--insurance-fund=1000")
    with running_exchange(tmp_path, f"--accounts={ACCOUNTS}", *settings, *breaker) as exchange:
        engine = exchange.components["engine"]
        deadline_s = time.monotonic() + WITHIN_S
        told: list[str] = []
        while not (halted := engine.metrics())["exchange_halted"]:
            assert time.monotonic() < deadline_s
            told += asyncio.run(sell(engine, range(ACCOUNTS // 4)))
        assert told.count("FILLED") > 10
        assert {"-4400"} >= set(asyncio.run(sell(engine, range(ACCOUNTS // 2, ACCOUNTS)))) - {"-2023"}
        still_due = 'exchange_halted_commands_total{kind="liquidation"}'
        while (now := engine.metrics())[still_due] == 0:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        for counted in ("exchange_forced_orders_total", "exchange_deleveraged_positions_total"):
            assert now[counted] == halted[counted]


def test_sales_into_a_thin_book_liquidate_others_whose_sales_liquidate_others(tmp_path: Path) -> None:
    settings = ("--liquidations=on", "--opening-leverage=100", "--maker-depth=1000", "--maker-patience=1")
    with running_exchange(tmp_path, f"--accounts={ACCOUNTS}", "--insurance-fund=1000", *settings) as exchange:
        engine = exchange.components["engine"]
        opening = engine.metrics()
        assert opening["exchange_insurance_fund_usdt"] == 1_000
        assert opening["exchange_liquidated_accounts_total"] == 0
        deadline_s = time.monotonic() + WITHIN_S
        told: list[str] = []
        now = opening
        while now["exchange_deleveraged_positions_total"] < 100 and time.monotonic() < deadline_s:
            told += asyncio.run(sell(engine, range(ACCOUNTS // 4)))
            now = engine.metrics()
        forced, own = (
            now[f'exchange_taken_usdt_total{{cause="{cause}",side="SELL"}}'] for cause in ("liquidation", "own")
        )
        assert told.count("FILLED") > 10
        assert own > forced > 5_000  # USDT
        assert now["exchange_forced_orders_total"] >= now["exchange_liquidated_accounts_total"] > 50
        assert now["exchange_deleveraged_positions_total"] >= 100
        assert now["exchange_insurance_fund_usdt"] >= 0
        assert "failed" not in (tmp_path / "engine.log").read_text()
