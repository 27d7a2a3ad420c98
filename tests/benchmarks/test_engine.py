"""The exchange's matching engine by itself: how much of a core one command takes."""

import random
import time
from typing import Any

import pytest
from exchange.engine.ledger import Ledger
from exchange.engine.market_maker import MarketMaker
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS

from tests.benchmarks.page import QUICK, publish

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]
ACCOUNTS = 10_000
COMMANDS = 20_000 if QUICK else 200_000
FAR_MS = 10**15


def drawn(randomness: random.Random, number: int) -> list[Any]:
    """A new order: six of ten at a limit within 0.2 % of the opening price, the others at the market."""
    symbol = number % len(SYMBOLS)
    buy, account = randomness.random() < 0.5, randomness.randrange(ACCOUNTS)
    if randomness.random() < 0.4:
        return ["order", account, FAR_MS, [symbol, buy, "MARKET", 0, randomness.randint(1, 5), "IOC", "", False]]
    opening = SYMBOLS[symbol].opening_ticks
    price = opening + randomness.randint(-20, 20) * opening // 10_000
    return ["order", account, FAR_MS, [symbol, buy, "LIMIT", price, randomness.randint(1, 5), "GTC", "", False]]


def test_commands_per_core_second() -> None:
    """Orders that rest, match and are cancelled, with the market maker's quotes every 2,000 commands."""
    randomness = random.Random(7)
    exchange = Exchange(Ledger(ACCOUNTS, 1), lambda _account: None, lambda _order: None)
    makers = [MarketMaker(exchange, symbol.index) for symbol in SYMBOLS]
    commands = [drawn(randomness, number) for number in range(COMMANDS)]
    refused = 0
    started_s = time.process_time()
    for number, command in enumerate(commands):
        if number % 2000 == 0:
            for maker in makers:
                maker.refresh(1000)
        status, _ = exchange.execute(command, 1000)
        refused += status != 200
        if number % 5 == 4:
            account = exchange.ledger.accounts[command[1]]
            if account.open_orders:
                order = next(iter(account.open_orders.values()))
                exchange.execute(["cancel", account.number, order.symbol, order.order_id, None], 1000)
    seconds = time.process_time() - started_s
    trades = sum(market.trades for market in exchange.markets)
    per_s = COMMANDS / seconds
    publish(
        "engine",
        ["orders per core second", "fills among them", "refused"],
        [[f"{per_s:,.0f}", f"{trades:,}", f"{refused:,}"]],
        f"{COMMANDS:,} orders of {ACCOUNTS:,} accounts, six of ten at a limit near the price, a fifth cancelled.",
    )
    assert trades > COMMANDS / 5
    assert refused < COMMANDS / 100
    assert QUICK or per_s >= 20_000
