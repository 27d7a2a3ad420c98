"""The exchange's matching engine by itself: how much of a core one command takes."""

import random
import time
from typing import Any

import pytest
from exchange.engine.clearing import Clearing
from exchange.engine.ledger import Account, Ledger
from exchange.engine.liquidation import Rules
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


class Engine:
    """The exchange as its process runs it, without queue and sockets; with `enforced` margins watched at each fill."""

    def __init__(self, *, enforced: bool) -> None:
        leverage = 10 if enforced else 0
        self.exchange = Exchange(Ledger(ACCOUNTS, 1, leverage=leverage), self._touched, lambda _order: None)
        self.makers = [MarketMaker(self.exchange, symbol.index) for symbol in SYMBOLS]
        self.due: list[Account] = []
        self.clearing: Clearing | None = None
        if enforced:
            self.clearing = Clearing(self.exchange, Rules(), 10**6, self.due.append)

    def _touched(self, number: int) -> None:
        if self.clearing is not None:
            self.clearing.touched(number)

    def turn(self, now_ms: int) -> None:
        """What the engine does a few times a second: quotes, and with enforced margins the marks."""
        for maker in self.makers:
            maker.refresh(now_ms)
        if self.clearing is not None:
            self.clearing.turn(now_ms)

    def play(self, commands: list[list[Any]]) -> int:
        """Orders, of which every fifth account's oldest is cancelled; returns how many orders were refused."""
        refused = 0
        for number, command in enumerate(commands):
            if number % 2000 == 0:
                self.turn(1000 + number // 20)
            status, _ = self.exchange.execute(command, 1000)
            refused += status != 200
            if number % 5 == 4:
                account = self.exchange.ledger.accounts[command[1]]
                if account.open_orders:
                    order = next(iter(account.open_orders.values()))
                    self.exchange.execute(["cancel", account.number, order.symbol, order.order_id, None], 1000)
        return refused


def test_commands_per_core_second() -> None:
    """Orders that rest, match and are cancelled, with the market maker's quotes every 2,000 commands."""
    rows = []
    for enforced in (False, True):
        randomness = random.Random(7)
        commands = [drawn(randomness, number) for number in range(COMMANDS)]
        engine = Engine(enforced=enforced)
        started_s = time.process_time()
        refused = engine.play(commands)
        per_s = COMMANDS / (time.process_time() - started_s)
        trades = sum(market.trades for market in engine.exchange.markets)
        rows.append(["enforced" if enforced else "off", f"{per_s:,.0f}", f"{trades:,}", f"{refused:,}"])
        assert trades > COMMANDS / 5
        assert refused < COMMANDS / (10 if enforced else 100)  # some accounts have no margin left
        assert QUICK or per_s >= 20_000
    publish(
        "engine",
        ["margins", "orders per core second", "fills among them", "refused"],
        rows,
        f"{COMMANDS:,} orders of {ACCOUNTS:,} accounts, six of ten at a limit near the price, a fifth cancelled.",
    )
