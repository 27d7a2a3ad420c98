"""What happens in the matching, told to those who asked: public trades, liquidations, and what concerns an account.

A topic is the name of a public stream (`btcusdt@trade`) or the number of an account. While nobody watches, the exchange
has no observer, and nothing here runs.
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Protocol

import orjson
from service.wall import wall_ms

from exchange.engine.book import Order
from exchange.engine.conditional import ConditionalOrder
from exchange.engine.event_bodies import (
    account_event,
    aggregate_event,
    conditional_event,
    fill_event,
    force_order_event,
    order_event,
    trade_event,
)
from exchange.engine.ledger import Trade
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS

Topic = str | int
PUBLIC_KINDS = ("trade", "aggTrade", "forceOrder")
_NAMES = tuple(symbol.name.lower() for symbol in SYMBOLS)


class Watcher(Protocol):
    """Where events go."""

    def send(self, line: bytes) -> None:
        """Send one line of the engine's protocol."""


class Events:
    """Follows the exchange for as long as somebody watches; `soon` calls back when the present command is done."""

    def __init__(self, exchange: Exchange, soon: Callable[[Callable[[], None]], object]) -> None:
        self._exchange = exchange
        self._soon = soon
        self._watchers: dict[Topic, set[Watcher]] = {}
        self._trades: list[Trade] = []  # public trades not yet told
        self._touched: dict[int, set[int]] = {}  # accounts not yet told how they stand, and in which positions
        self._aggregates = 0
        self._due = False
        self._taker: tuple[int, int, int] = (0, 0, 0)  # order id, lots and value of what was filled of it so far

    def watch(self, watcher: Watcher, topics: Iterable[Topic]) -> None:
        """Tell `watcher` of `topics`, too."""
        for topic in topics:
            self._watchers.setdefault(topic, set()).add(watcher)
        self._follow()

    def unwatch(self, watcher: Watcher, topics: Iterable[Topic] | None = None) -> None:
        """Stop that; None: it is gone."""
        for topic in list(self._watchers) if topics is None else topics:
            watchers = self._watchers.get(topic, set())
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(topic, None)
        self._follow()

    def _follow(self) -> None:
        self._exchange.observer = self if self._watchers else None
        self._exchange.conditionals.changed = self._conditional if self._watchers else None

    def ordered(self, order: Order, now_ms: int) -> None:
        """An order was accepted, cancelled, or has expired."""
        if order.account in self._watchers:
            self._tell(order.account, order_event(order, now_ms))

    def filled(self, order: Order, trade: Trade, profit: int) -> None:
        """One side of a fill was booked, which realised `profit` money units."""
        account = order.account
        if account not in self._watchers:
            return
        lots, value = order.filled, order.value
        if not trade.maker:  # all its fills are known before the first one is booked
            order_id, lots, value = self._taker
            if order_id != order.order_id:
                lots = value = 0
            lots, value = lots + trade.lots, value + trade.lots * trade.price
            self._taker = (order.order_id, lots, value)
        self._tell(account, fill_event(order, trade, lots, value, profit))
        self._touched.setdefault(account, set()).add(order.symbol)
        self._flush_soon()

    def traded(self, trade: Trade) -> None:
        """A fill in the book, seen from its taker."""
        self._trades.append(trade)
        self._flush_soon()

    def touched(self, account: int) -> None:
        """An account's wallet or positions have changed."""
        if account in self._watchers:
            self._touched.setdefault(account, set())
            self._flush_soon()

    def liquidated(self, order: Order) -> None:
        """Publish a liquidation order."""
        self._tell(f"{_NAMES[order.symbol]}@forceOrder", force_order_event(order, wall_ms()))

    def _conditional(self, order: ConditionalOrder) -> None:
        if order.account in self._watchers:
            self._tell(order.account, conditional_event(order, wall_ms()))

    def _flush_soon(self) -> None:
        if not self._due:
            self._due = True
            self._soon(self._flush)

    def _flush(self) -> None:
        self._due = False
        now_ms = wall_ms()
        trades, self._trades = self._trades, []
        for _, same in groupby(trades, key=lambda trade: (trade.order_id, trade.price)):
            self._publish_trades(list(same), now_ms)
        touched, self._touched = self._touched, {}
        for number, symbols in touched.items():
            account = self._exchange.ledger.accounts[number]
            self._tell(number, account_event(account, symbols, self._exchange.marks, now_ms))

    def _publish_trades(self, trades: list[Trade], now_ms: int) -> None:
        name = _NAMES[trades[0].symbol]
        if (topic := f"{name}@trade") in self._watchers:
            for trade in trades:
                self._tell(topic, trade_event(trade, now_ms))
        self._aggregates += 1
        if (topic := f"{name}@aggTrade") in self._watchers:
            self._tell(topic, aggregate_event(self._aggregates, trades, now_ms))

    def _tell(self, topic: Topic, event: dict[str, object]) -> None:
        watchers = self._watchers.get(topic)
        if watchers:
            line = b"! %s %s\n" % (str(topic).encode(), orjson.dumps(event))
            for watcher in tuple(watchers):
                watcher.send(line)
