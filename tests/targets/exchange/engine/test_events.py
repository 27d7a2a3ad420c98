"""What the engine tells those who watch: every state of an order once, in order, with sums that add up."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from exchange.engine.book import Order
from exchange.engine.events import Events
from exchange.engine.ledger import Ledger
from exchange.engine.matching import Exchange, HandOver

FAR_MS = 10**15
BTC = 0


class Desk:
    """An exchange with two accounts that trade with each other, and one who watches `topics`."""

    def __init__(self, *topics: str | int) -> None:
        self.exchange = Exchange(Ledger(3, 1), self._touched, lambda _order: None)
        self._due: list[Callable[[], None]] = []
        self.events = Events(self.exchange, self._due.append)
        self.lines: list[bytes] = []
        if topics:
            self.events.watch(self, topics)

    def _touched(self, number: int) -> None:
        if self.exchange.observer is not None:
            self.events.touched(number)

    def send(self, line: bytes) -> None:
        self.lines.append(line)

    def order(self, account: int, *, buy: bool, lots: int, price: int = 0, tif: str = "GTC") -> int:
        kind = "LIMIT" if price else "MARKET"
        terms = [BTC, buy, kind, price, lots, tif if price else "IOC", "", False]
        status, body = self.exchange.execute(["order", account, FAR_MS, terms], 1_000)
        assert status == 200, body
        return int(orjson.loads(body)["orderId"])

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """The events since the last call, with their topics."""
        due, self._due[:] = list(self._due), []
        for flush in due:
            flush()
        lines, self.lines = self.lines, []
        return [(parts[1].decode(), orjson.loads(parts[2])) for parts in (line.split(b" ", 2) for line in lines)]


def states(told: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str, str, str]]:
    """Execution type, status, and what was filled, last and in all."""
    return [
        (event["o"]["x"], event["o"]["X"], event["o"]["l"], event["o"]["z"])
        for _, event in told
        if event["e"] == "ORDER_TRADE_UPDATE"
    ]


def test_a_taker_through_two_levels_hears_of_each_fill() -> None:
    desk = Desk(1)
    desk.order(2, buy=False, lots=3, price=600_000)
    desk.order(2, buy=False, lots=9, price=600_010)
    assert desk.told() == []
    desk.order(1, buy=True, lots=5)
    told = desk.told()
    assert states(told) == [
        ("NEW", "NEW", "0", "0.000"),
        ("TRADE", "PARTIALLY_FILLED", "0.003", "0.003"),
        ("TRADE", "FILLED", "0.002", "0.005"),
    ]
    assert {topic for topic, _ in told} == {"1"}
    fills = [event["o"] for _, event in told if event["e"] == "ORDER_TRADE_UPDATE"][1:]
    assert [(fill["L"], fill["ap"], fill["m"]) for fill in fills] == [
        ("60000.0", "60000.000", False), ("60001.0", "60000.400", False),
    ]  # fmt: skip
    update = told[-1][1]
    assert update["e"] == "ACCOUNT_UPDATE"
    account = desk.exchange.ledger.accounts[1]
    assert Decimal(update["a"]["B"][0]["wb"]) * 10**8 == account.wallet
    assert Decimal(update["a"]["P"][0]["pa"]) * 1000 == account.positions[BTC].lots


def test_a_maker_hears_of_its_rest_and_of_its_end() -> None:
    desk = Desk(2)
    order_id = desk.order(2, buy=False, lots=4, price=600_000)
    desk.order(1, buy=True, lots=1)
    desk.exchange.execute(["cancel", 2, BTC, order_id, None], 1_000)
    assert states(desk.told()) == [
        ("NEW", "NEW", "0", "0.000"),
        ("TRADE", "PARTIALLY_FILLED", "0.001", "0.001"),
        ("CANCELED", "CANCELED", "0", "0.001"),
    ]


def test_an_order_that_finds_nothing_expires() -> None:
    desk = Desk(1)
    desk.order(1, buy=True, lots=1)
    assert states(desk.told()) == [("NEW", "NEW", "0", "0.000"), ("EXPIRED", "EXPIRED", "0", "0.000")]


def test_realised_profit_is_what_the_wallet_gains_before_the_fee() -> None:
    desk = Desk(1)
    wallet = desk.exchange.ledger.accounts[1].wallet
    held = desk.exchange.ledger.accounts[1].positions[BTC].lots
    desk.order(2, buy=held > 0, lots=abs(held), price=700_000)  # not at the opening price: somebody gains
    desk.told()
    status, body = desk.exchange.execute(
        ["order", 1, FAR_MS, [BTC, held < 0, "MARKET", 0, abs(held), "IOC", "", True]], 1_000
    )
    assert status == 200, body
    fill = next(event["o"] for _, event in desk.told() if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["t"])
    change = desk.exchange.ledger.accounts[1].wallet - wallet
    assert (Decimal(fill["rp"]) - Decimal(fill["n"])) * 10**8 == change


def test_public_trades_are_told_one_by_one_and_joined_by_price() -> None:
    desk = Desk("btcusdt@trade", "btcusdt@aggTrade")
    for lots in (1, 2):
        desk.order(2, buy=False, lots=lots, price=600_000)
    desk.order(2, buy=False, lots=9, price=600_010)
    desk.order(1, buy=True, lots=5)
    told = desk.told()
    trades = [event for topic, event in told if topic == "btcusdt@trade"]
    aggregates = [event for topic, event in told if topic == "btcusdt@aggTrade"]
    assert [(trade["p"], trade["q"], trade["m"]) for trade in trades] == [
        ("60000.0", "0.001", False), ("60000.0", "0.002", False), ("60001.0", "0.002", False),
    ]  # fmt: skip
    assert [(joined["q"], joined["l"] - joined["f"]) for joined in aggregates] == [("0.003", 1), ("0.002", 0)]
    assert aggregates[1]["a"] == aggregates[0]["a"] + 1


def test_a_position_that_changes_hands_is_told_to_both_and_is_no_public_trade() -> None:
    desk = Desk(1, 2, "btcusdt@trade")
    giver, taker = desk.exchange.ledger.accounts[1], desk.exchange.ledger.accounts[2]
    desk.exchange.assign(giver, taker, HandOver(BTC, 2, 590_000, "adl_autoclose"), 1_000)
    told = desk.told()
    assert [(topic, event["o"]["c"], event["o"]["X"]) for topic, event in told if "o" in event] == [
        ("1", "adl_autoclose", "FILLED"), ("2", "adl_autoclose", "FILLED"),
    ]  # fmt: skip
    assert sum(event["e"] == "ACCOUNT_UPDATE" for _, event in told) == 2
    assert not [topic for topic, _ in told if topic == "btcusdt@trade"]


def test_a_liquidation_order_is_told_apart() -> None:
    desk = Desk(1, "btcusdt@forceOrder")
    desk.order(2, buy=True, lots=3, price=600_000)
    account = desk.exchange.ledger.accounts[1]
    desk.told()
    forced = Order(
        desk.exchange.next_order_id(), 1, BTC, False, 590_000, 5, "LIMIT", "IOC", "autoclose-7", created_ms=1_000
    )
    desk.exchange.submit(account, forced)
    desk.events.liquidated(forced)
    told = desk.told()
    assert [(event["o"]["o"], event["o"]["x"]) for topic, event in told if topic == "1" and "o" in event] == [
        ("LIQUIDATION", "NEW"), ("LIQUIDATION", "CALCULATED"), ("LIQUIDATION", "EXPIRED"),
    ]  # fmt: skip
    published = next(event["o"] for topic, event in told if topic == "btcusdt@forceOrder")
    assert (published["q"], published["z"], published["ap"], published["X"]) == (
        "0.005", "0.003", "60000.000", "PARTIALLY_FILLED",
    )  # fmt: skip


def test_a_conditional_order_is_told_at_each_change() -> None:
    desk = Desk(1)
    terms = [BTC, False, "STOP_MARKET", 500_000, 0, 1, "GTC", "", False, False, False]
    _, body = desk.exchange.execute(["conditional", 1, FAR_MS, terms], 1_000)
    desk.exchange.execute(["cancel conditional", 1, orjson.loads(body)["algoId"], None], 1_000)
    events = [event for _, event in desk.told() if event["e"] == "ALGO_UPDATE"]
    assert [(event["o"]["X"], event["o"]["tp"]) for event in events] == [("NEW", "50000.0"), ("CANCELED", "50000.0")]


def test_nobody_watches_nothing_is_observed() -> None:
    desk = Desk()
    observers: list[object] = [desk.exchange.observer]
    desk.events.watch(desk, [1, "btcusdt@trade"])
    observers.append(desk.exchange.observer)
    desk.events.unwatch(desk, [1])
    observers.append(desk.exchange.observer)
    desk.events.unwatch(desk)
    observers.append(desk.exchange.observer)
    assert observers == [None, desk.events, desk.events, None]
    assert desk.exchange.conditionals.changed is None
