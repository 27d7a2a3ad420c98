"""An exchange with few accounts whose margins are enforced, at prices that a test sets."""

from collections import deque
from typing import Any

import orjson
from exchange.engine.clearing import Clearing, Sources
from exchange.engine.ledger import Account, Ledger, Position
from exchange.engine.liquidation import Rules
from exchange.engine.margin import COLLATERALS
from exchange.engine.matching import Exchange
from exchange.venue import MONEY_UNITS_PER_USDT, SYMBOLS

FAR_MS = 10**15
OPENING = [symbol.opening_ticks for symbol in SYMBOLS]


class SetPrices:
    """Contracts' index and collateral's prices, as they were set last."""

    def __init__(self, contracts: list[int], collateral: list[int]) -> None:
        self.contracts = contracts
        self.collateral = collateral

    def price(self, number: int, now_ms: int) -> int:
        return self.contracts[number]


class _Collateral:
    def __init__(self, prices: SetPrices) -> None:
        self._prices = prices

    def price(self, asset: int, now_ms: int) -> int:
        return self._prices.collateral[asset]


class Venue:
    """`clearing` over an `exchange` whose accounts hold nothing but what a test gives them.

    `collateral` is what account 0 has beside its wallet. Marks are the set prices: the last trade is put there, too.
    `due` are the liquidations that wait for their turn.
    """

    def __init__(
        self,
        wallets_usdt: list[int],
        *,
        fund_usdt: int = 0,
        rules: Rules | None = None,
        collateral: dict[int, int] | None = None,
    ) -> None:
        ledger = Ledger(len(wallets_usdt), 1)
        for account, usdt in zip(ledger.accounts, [*wallets_usdt, 10**6], strict=True):
            account.wallet = usdt * MONEY_UNITS_PER_USDT
            account.positions = tuple(Position() for _ in SYMBOLS)
        ledger.accounts[0].collateral = collateral or {}
        self.now_ms = 1_000
        self.due: deque[Account] = deque()
        self.exchange = Exchange(ledger, self._touched)
        self.prices = SetPrices(list(OPENING), [MONEY_UNITS_PER_USDT] * len(COLLATERALS))
        sources = Sources(self.prices, _Collateral(self.prices))
        self.clearing: Clearing | None = None
        self.clearing = Clearing(self.exchange, rules or Rules(), fund_usdt, self.due.append, sources)
        self.total = ledger.total()

    @property
    def accounts(self) -> list[Account]:
        return self.exchange.ledger.accounts

    def _touched(self, number: int) -> None:
        if self.clearing is not None:
            self.clearing.touched(number)

    def send(self, account: int, *, buy: bool, price: int, lots: int, symbol: int = 0) -> dict[str, Any]:
        """A limit order, good till cancelled."""
        terms = [symbol, buy, "LIMIT", price, lots, "GTC", "", False]
        said: dict[str, Any] = orjson.loads(self.exchange.execute(["order", account, FAR_MS, terms], self.now_ms)[1])
        return said

    def open(self, buyer: int, seller: int, lots: int, symbol: int = 0) -> None:
        """Two accounts trade with each other at the opening price, without a fee."""
        for number, signed in ((buyer, lots), (seller, -lots)):
            self.exchange.ledger.assign(self.accounts[number], symbol, signed, OPENING[symbol])
        for number in (buyer, seller):
            self._touched(number)

    def move(self, price: int, symbol: int = 0) -> None:
        """All prices of a symbol are now `price`."""
        assert self.clearing is not None
        self.prices.contracts[symbol] = self.exchange.markets[symbol].last = price
        self.now_ms += 1_000
        self.clearing.turn(self.now_ms)

    def settle(self) -> None:
        """Take the steps of all liquidations that are due, each in its turn."""
        assert self.clearing is not None
        while self.due:
            account = self.due.popleft()
            if self.clearing.liquidator.step(account, self.now_ms):
                self.due.append(account)
