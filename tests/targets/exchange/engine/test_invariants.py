"""Random histories of the engine: after every command all invariants hold, and every order is matched by priority.

CHAOSKIT_HISTORIES=10000 plays so many histories in place of a few.
"""

import os
from typing import Any

import orjson
import pytest
from exchange.engine.book import Order
from exchange.engine.conditional import ConditionalOrder
from exchange.engine.invariants import broken
from exchange.engine.ledger import Ledger
from exchange.engine.market_maker import MarketMaker
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HISTORIES = int(os.environ.get("CHAOSKIT_HISTORIES", "150"))
FAR_MS = 10**15
ACCOUNTS = 4

symbols = st.integers(0, len(SYMBOLS) - 1)
accounts = st.integers(0, ACCOUNTS - 1)
near = st.integers(-6, 6)  # ticks around the opening price: orders are to meet
lots = st.integers(1, 40)
orders = st.tuples(
    st.just("order"), accounts, symbols, st.booleans(), near, lots,
    st.sampled_from(["GTC", "IOC", "FOK", "GTX", "MARKET"]), st.booleans(),
)  # fmt: skip
cancels = st.tuples(st.just("cancel"), accounts, st.integers(0, 60))
conditionals = st.tuples(
    st.just("conditional"), accounts, symbols, st.booleans(), near, lots,
    st.sampled_from(["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"]), st.booleans(),
)  # fmt: skip
makers = st.tuples(st.just("maker"), symbols)
transfers = st.tuples(st.just("transfer"), accounts, st.integers(1, 10**12))
HISTORY = st.lists(st.one_of(orders, orders, orders, cancels, conditionals, makers, transfers), max_size=60)


class Player:
    """Plays commands as they are drawn; what prices set off is sent after the command that moved them."""

    def __init__(self) -> None:
        self.triggered: list[ConditionalOrder] = []
        self.exchange = Exchange(Ledger(ACCOUNTS, 5), lambda _account: None, self.triggered.append)
        self.total = self.exchange.ledger.total()
        self.known: list[tuple[int, int, int]] = []  # account, symbol, order id
        self.makers = [MarketMaker(self.exchange, symbol.index) for symbol in SYMBOLS]

    def play(self, command: tuple[Any, ...]) -> None:
        match command:
            case ("order", account, symbol, buy, offset, size, tif, reduce_only):
                price = SYMBOLS[symbol].opening_ticks + offset
                market = tif == "MARKET"
                terms = [symbol, buy, "MARKET" if market else "LIMIT", 0 if market else price, size]
                body = self._ask(["order", account, FAR_MS, [*terms, "IOC" if market else tif, "", reduce_only]])
                if "orderId" in body:
                    self.known.append((account, symbol, body["orderId"]))
            case ("cancel", account, number) if self.known:
                owner, symbol, order_id = self.known[number % len(self.known)]
                body = self._ask(["cancel", account, symbol, order_id, None])
                assert body.get("code") == -2011 or owner == account, "nobody cancels another's order"
            case ("conditional", account, symbol, buy, offset, size, kind, closes):
                price = SYMBOLS[symbol].opening_ticks + offset
                terms = [symbol, buy, kind, price, price, 0 if closes else size, "GTC", "", False, closes, False]
                self._ask(["conditional", account, FAR_MS, terms])
            case ("transfer", account, amount):
                self._ask(["transfer", account, amount])
            case ("maker", symbol):
                self.makers[symbol].refresh(1000)
        while self.triggered:
            self.exchange.fire(self.triggered.pop(0), 1000)

    def _ask(self, command: list[Any]) -> dict[str, Any]:
        status, body = self.exchange.execute(command, 1000)
        said: dict[str, Any] = orjson.loads(body)
        assert (status == 200) == (said.get("code", "200") == "200")
        return said


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORY)
def test_after_every_command_nothing_is_lost_made_or_crossed(history: list[tuple[Any, ...]]) -> None:
    player = Player()
    for command in history:
        player.play(command)
        assert broken(player.exchange, player.total) == [], command


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("wallet", "money is not conserved: 1 units more"),
        ("position", "positions in BTCUSDT add up to 1 lots"),
        ("crossed", "the book of BTCUSDT is crossed"),
        ("orphan", "rests and is nobody's"),
        ("vanished", "is open and does not rest once"),
        ("trade", "has the sides"),
    ],
)
def test_each_invariant_can_be_broken(harm: str, said: str) -> None:
    player = Player()
    for command in (
        ("order", 0, 0, False, 2, 10, "GTC", False),
        ("order", 1, 0, True, 2, 4, "GTC", False),
        ("order", 1, 0, True, -2, 4, "GTC", False),
    ):
        player.play(command)
    exchange, first = player.exchange, player.exchange.ledger.accounts[0]
    assert broken(exchange, player.total) == []
    match harm:
        case "wallet":
            first.wallet += 1
        case "position":
            first.positions[0].lots += 1
        case "crossed":
            exchange.markets[0].book.rest(Order(99, 0, 0, buy=True, price=SYMBOLS[0].opening_ticks + 9, lots=1))
        case "orphan":
            exchange.markets[0].book.rest(Order(99, 0, 0, buy=True, price=5, lots=1))
        case "vanished":
            exchange.markets[0].book.cancel(next(iter(first.open_orders.values())))
        case "trade":
            first.trades.pop()
    assert any(said in sentence for sentence in broken(exchange, player.total))
