"""The exchange core: executes one command at a time against books and ledger. Synchronous and free of I/O.

A command is a list `[operation, account, …]` as it came from a gateway, already checked for form; its answer
is a status and a JSON body in the venue's shape, which the gateway hands to the client untouched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from exchange.engine.bodies import conditional_body, order_body, trade_body
from exchange.engine.book import Order, OrderBook
from exchange.engine.circuit_breaker import CircuitBreaker
from exchange.engine.conditional import MARKET_KINDS, ConditionalOrder, ConditionalOrders
from exchange.engine.intents import PREFIX, Intents
from exchange.engine.ledger import UNIT_VALUES, Account, Ledger, Trade
from exchange.failures import Refusal, halted, stale
from exchange.venue import LEVERAGE, SYMBOLS

MAX_OPEN_ORDERS = 200

Answer = tuple[int, bytes]
Touched = Callable[[int], None]
Triggered = Callable[[ConditionalOrder], None]


class Observer(Protocol):
    """Who wants to know what happens, as it happens."""

    def ordered(self, order: Order, now_ms: int) -> None:
        """An order was accepted, cancelled, or has expired."""

    def filled(self, order: Order, trade: Trade, profit: int) -> None:
        """One side of a fill was booked, which realised `profit` money units."""

    def traded(self, trade: Trade) -> None:
        """A fill in the book, seen from its taker."""


class Market:
    """One symbol: its book and its statistics since the start."""

    def __init__(self, opening_ticks: int) -> None:
        self.book = OrderBook()
        self.last = self.high = self.low = self.opening = opening_ticks
        self.lots = 0
        self.value = 0
        self.trades = 0
        self.version = 0

    def record(self, price: int, lots: int) -> None:
        """Count one fill."""
        self.last = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.lots += lots
        self.value += price * lots
        self.trades += 1


@dataclass(frozen=True, slots=True)
class HandOver:
    """A position that one account gives and another takes: signed `lots`, `price` in ticks."""

    symbol: int
    lots: int
    price: int
    client_id: str


class Exchange:
    """Books, ledger and the commands on them.

    `touched` is called with the number of each account whose wallet or positions changed; `triggered` with each
    conditional order that a price has set off, to be sent by `fire` as a command of its own. The marks are the last
    prices until `marks_follow_trades` is taken away and `mark` called instead. `observer` is told of every order and
    fill, where there is one; a `breaker` may halt trading.
    """

    def __init__(self, ledger: Ledger, touched: Touched, triggered: Triggered | None = None) -> None:
        self.ledger = ledger
        self.conditionals = ConditionalOrders(len(SYMBOLS))
        self.intents = Intents()
        self._triggered = triggered
        self.observer: Observer | None = None
        self.markets = [Market(symbol.opening_ticks) for symbol in SYMBOLS]
        self.marks = [market.last for market in self.markets]
        self.touched = touched
        self.marks_follow_trades = True
        self.breaker: CircuitBreaker | None = None
        self.taken = {True: 0, False: 0}  # money units that buyers and sellers took from the books, the house left out
        self._order_id = 0
        self._trade_id = 0
        self._operations: dict[str, Callable[..., Any]] = {
            "order": self.place,
            "cancel": self.cancel,
            "query": self.query,
            "open": self.open_orders,
            "trades": self.trades,
            "conditional": self.place_conditional,
            "cancel conditional": self.cancel_conditional,
            "query conditional": self.query_conditional,
            "open conditionals": self.open_conditionals,
            "transfer": self.transfer,
        }

    def offer(self, operations: dict[str, Callable[..., Any]]) -> None:
        """Take up more commands, by name; each is called with the time in ms, the account, and what else was sent."""
        self._operations |= operations

    def execute(self, command: list[Any], now_ms: int) -> Answer:
        """Run one command at wall-clock `now_ms`; refusals become the venue's error bodies."""
        try:
            operation = self._operations.get(command[0])
            if operation is None or not 0 <= command[1] < len(self.ledger.accounts):
                raise Refusal(400, -1100, f"The engine cannot do {command[:2]}.")
            return 200, orjson.dumps(operation(now_ms, self.ledger.accounts[command[1]], *command[2:]))
        except Refusal as refusal:
            return refusal.status, refusal.body

    def place(
        self,
        now_ms: int,
        account: Account,
        deadline_ms: int,
        terms: list[Any],
    ) -> dict[str, object]:
        """Accept an order: [symbol, buy, kind, price, lots, time in force, client id, reduce only]."""
        if now_ms > deadline_ms:
            raise stale()
        symbol, buy, kind, price, lots, time_in_force, client_id, reduce_only = terms
        self._order_id += 1
        order = Order(
            self._order_id, account.number, symbol, buy, price, lots, kind, time_in_force,
            client_id or f"x{self._order_id}", reduce_only, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        self._check(account, order)
        self.submit(account, order)
        return order_body(order)

    def submit(self, account: Account, order: Order) -> None:
        """Match an accepted order and rest, expire or finish what remains of it."""
        market = self.markets[order.symbol]
        market.version += 1
        if self.observer is not None:
            self.observer.ordered(order, order.created_ms)
        limit_price = order.price if order.kind == "LIMIT" else None
        if self._may_match(market.book, order, limit_price):
            for fill in market.book.match(order, limit_price):
                self._settle(account, order, fill.maker, fill.price, fill.lots)
        if not account.house:
            self.taken[order.buy] += order.value * UNIT_VALUES[order.symbol]
        if order.filled == order.lots:
            order.status = "FILLED"
        elif order.kind == "LIMIT" and order.time_in_force in ("GTC", "GTX") and order.status != "EXPIRED":
            order.status = "PARTIALLY_FILLED" if order.filled else "NEW"
            market.book.rest(order)
            account.open(order)
            return
        else:
            order.status = "EXPIRED"
            if self.observer is not None:
                self.observer.ordered(order, order.updated_ms)
        account.close(order)

    def withdraw(self, account: Account, order: Order, now_ms: int) -> None:
        """Cancel an open order."""
        market = self.markets[order.symbol]
        market.version += 1
        market.book.cancel(order)
        account.release(order, order.remaining)
        order.status = "CANCELED"
        order.updated_ms = now_ms
        account.close(order)
        if self.observer is not None:
            self.observer.ordered(order, now_ms)

    def cancel(
        self, now_ms: int, account: Account, symbol: int, order_id: int | None, client_id: str | None
    ) -> dict[str, object]:
        """Cancel by order id or client id."""
        order = account.find(order_id, client_id)
        if order is None or order.order_id not in account.open_orders or order.symbol != symbol:
            raise Refusal(400, -2011, "Unknown order sent.")
        self.withdraw(account, order, now_ms)
        return order_body(order)

    def query(
        self, _now_ms: int, account: Account, symbol: int, order_id: int | None, client_id: str | None
    ) -> dict[str, object]:
        """One order, open or recently finished."""
        order = account.find(order_id, client_id)
        if order is None or order.symbol != symbol:
            raise Refusal(400, -2013, "Order does not exist.")
        return order_body(order)

    def open_orders(self, _now_ms: int, account: Account, symbol: int | None) -> list[dict[str, object]]:
        """All open orders, of one symbol or of all."""
        return [order_body(order) for order in account.open_orders.values() if symbol in (None, order.symbol)]

    def trades(self, _now_ms: int, account: Account, symbol: int, limit: int) -> list[dict[str, object]]:
        """The latest `limit` fills of one symbol, oldest first."""
        return [trade_body(trade) for trade in account.trades if trade.symbol == symbol][-limit:]

    def place_conditional(self, now_ms: int, account: Account, deadline_ms: int, terms: list[Any]) -> dict[str, object]:
        """Keep a conditional order, unchecked: `terms` as in `ConditionalOrder`, from `symbol` to `by_mark`."""
        if now_ms > deadline_ms:
            raise stale()
        order = ConditionalOrder(self.conditionals.next_id(), account.number, *terms)
        order.created_ms = order.updated_ms = now_ms
        order.client_id = order.client_id or f"c{order.algo_id}"
        if order.is_reached(self.marks[order.symbol] if order.by_mark else self.markets[order.symbol].last):
            raise Refusal(400, -2021, "Order would immediately trigger.")
        self.conditionals.add(order)
        return conditional_body(order)

    def cancel_conditional(
        self, now_ms: int, account: Account, algo_id: int | None, client_id: str | None
    ) -> dict[str, object]:
        """Cancel by algo id or client id, also while it waits to be sent."""
        order = self.conditionals.find(account.number, algo_id, client_id)
        if order is None:
            raise Refusal(400, -2011, "Unknown order sent.")
        self.conditionals.end(order, "CANCELED", "cancelled", now_ms)
        return {"algoId": order.algo_id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}

    def query_conditional(
        self, _now_ms: int, account: Account, algo_id: int | None, client_id: str | None
    ) -> dict[str, object]:
        """One conditional order that waits."""
        order = self.conditionals.find(account.number, algo_id, client_id)
        if order is None:
            raise Refusal(400, -2013, "Order does not exist.")
        return conditional_body(order)

    def open_conditionals(self, _now_ms: int, account: Account, symbol: int | None) -> list[dict[str, object]]:
        """All conditional orders that wait, of one symbol or of all."""
        return [
            conditional_body(order) for order in self.conditionals.of(account.number) if symbol in (None, order.symbol)
        ]

    def transfer(self, _now_ms: int, account: Account, amount: int) -> dict[str, object]:
        """Money from outside into the account's wallet, `amount` in money units; the id is that of an order."""
        self.ledger.deposit(account, amount)
        self.touched(account.number)
        return {"tranId": self.next_order_id()}

    def fire(self, conditional: ConditionalOrder, now_ms: int) -> None:
        """Send the order that a triggered one stands for; where the account may not place it, it is rejected now."""
        if conditional.status != "TRIGGERING":
            return  # cancelled while it waited to be sent
        account = self.ledger.accounts[conditional.account]
        held = account.positions[conditional.symbol].lots
        at_market = conditional.kind in MARKET_KINDS
        order = Order(
            self.next_order_id(), account.number, conditional.symbol, conditional.buy,
            0 if at_market else conditional.price, abs(held) if conditional.closes else conditional.lots,
            "MARKET" if at_market else "LIMIT", "IOC" if at_market else conditional.time_in_force,
            conditional.client_id, conditional.lowers_risk, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        try:
            self._check(account, order)
        except Refusal:
            self.conditionals.end(conditional, "REJECTED", "rejected", now_ms)
            return
        conditional.order_id = order.order_id
        self.conditionals.end(conditional, "FINISHED", "sent", now_ms)
        self.submit(account, order)

    def mark(self, symbol: int, price: int, now_ms: int) -> None:
        """Set the mark price of a symbol, in ticks."""
        self.marks[symbol] = price
        self._set_off(symbol, now_ms)

    def assign(self, giver: Account, taker: Account, handed: HandOver, now_ms: int) -> None:
        """Let a position change hands past the book, without a fee; both sides keep an order and a trade of it."""
        self._trade_id += 1
        size, price = abs(handed.lots), handed.price
        for party, signed, is_maker in ((giver, -handed.lots, False), (taker, handed.lots, True)):
            order = Order(
                self.next_order_id(), party.number, handed.symbol, signed > 0, price, size, "LIMIT", "IOC",
                handed.client_id, status="FILLED", filled=size, value=size * price, created_ms=now_ms,
                updated_ms=now_ms,
            )  # fmt: skip
            before = party.wallet
            self.ledger.assign(party, handed.symbol, signed, price)
            party.close(order)
            trade = Trade(self._trade_id, order.order_id, handed.symbol, order.buy, price, size, 0, is_maker, now_ms)
            party.trades.append(trade)
            if self.observer is not None:
                self.observer.filled(order, trade, party.wallet - before)
            self.touched(party.number)

    def _set_off(self, symbol: int, now_ms: int) -> None:
        if self._triggered is not None:
            for conditional in self.conditionals.due(symbol, self.markets[symbol].last, self.marks[symbol]):
                conditional.triggered_ms = now_ms
                self._triggered(conditional)

    def _check(self, account: Account, order: Order) -> None:
        """Refuse an order that the account may not place."""
        if account.house:
            return
        if account.liquidating:
            raise Refusal(400, -2023, "User in liquidation mode now.")
        if self.breaker is not None and not order.reduce_only and self.breaker.is_halted(order.created_ms):
            self.breaker.turned_away["order"] += 1
            raise halted()
        if any(order.client_id == known.client_id for known in account.open_orders.values()):
            raise Refusal(400, -4116, "ClientOrderId is duplicated.")
        if len(account.open_orders) >= MAX_OPEN_ORDERS:
            raise Refusal(400, -2025, "Reach max open order limit.")
        held = account.positions[order.symbol].lots
        closes = (held < 0) if order.buy else (held > 0)
        if order.reduce_only:
            if not closes:
                raise Refusal(400, -2022, "ReduceOnly Order is rejected.")
            order.lots = min(order.lots, abs(held))
            return
        price = order.price or self.marks[order.symbol]
        opening_lots = order.lots - min(order.lots, abs(held)) if closes else order.lots
        needed = opening_lots * price * UNIT_VALUES[order.symbol] // LEVERAGE
        if needed > account.available(self.marks):
            raise Refusal(400, -2019, "Margin is insufficient.")

    def _may_match(self, book: OrderBook, order: Order, limit_price: int | None) -> bool:
        """Whether to match; expires a fill-or-kill that cannot fill and a post-only order that would take."""
        if order.time_in_force == "GTX" and book.would_cross(buy=order.buy, price=order.price):
            order.status = "EXPIRED"
        elif order.time_in_force == "FOK":
            opposite = book.side(buy=not order.buy)
            if opposite.available(limit_price, order.lots) < order.lots:
                order.status = "EXPIRED"
        return order.status != "EXPIRED"

    def _settle(self, account: Account, taker: Order, maker: Order, price: int, lots: int) -> None:
        """Book one fill on both sides."""
        self._trade_id += 1
        symbol = taker.symbol
        self.markets[symbol].record(price, lots)
        if self.breaker is not None:
            self.breaker.observe(symbol, price, taker.created_ms)
        if self.marks_follow_trades:
            self.marks[symbol] = price
        maker_account = self.ledger.accounts[maker.account]
        for party, order, is_maker in ((account, taker, False), (maker_account, maker, True)):
            signed = lots if order.buy else -lots
            before = party.wallet
            fee = self.ledger.trade(party, symbol, signed, price, maker=is_maker)
            order.updated_ms = taker.created_ms
            if order.client_id.startswith(PREFIX):
                self.intents.note(order.client_id, party.number, order.order_id)
            trade = Trade(
                self._trade_id, order.order_id, symbol, order.buy, price, lots, fee, is_maker, order.updated_ms
            )
            party.trades.append(trade)
            if self.observer is not None:
                self.observer.filled(order, trade, party.wallet - before + fee)
                if not is_maker:
                    self.observer.traded(trade)
            self.touched(party.number)
        maker_account.release(maker, lots)
        maker.status = "FILLED" if maker.filled == maker.lots else "PARTIALLY_FILLED"
        if maker.filled == maker.lots:
            maker_account.close(maker)
        self._set_off(symbol, taker.created_ms)

    def next_order_id(self) -> int:
        """A fresh order id, for orders that are made inside the engine."""
        self._order_id += 1
        return self._order_id
