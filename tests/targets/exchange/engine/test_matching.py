from typing import Any

import orjson
import pytest
from exchange.engine.ledger import Ledger
from exchange.engine.matching import MAX_OPEN_ORDERS, Exchange

FAR_MS = 10**15
MAKER, TAKER = 0, 1
PRICE = 600_000


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(Ledger(3, 1), touched=lambda account: None)


DEFAULTS = {"symbol": 0, "buy": True, "kind": "LIMIT", "price": PRICE, "lots": 10, "tif": "GTC", "id": ""}


def send(exchange: Exchange, account: int, **terms: object) -> dict[str, Any]:
    """One order; returns the body with its HTTP status as `http`."""
    wanted = DEFAULTS | {"reduce": False} | terms
    status, body = exchange.execute(["order", account, FAR_MS, list(wanted.values())], 1000)
    return {"http": status, **orjson.loads(body)}


def test_a_limit_order_rests_and_is_taken(exchange: Exchange) -> None:
    resting = send(exchange, MAKER, buy=False)
    assert resting["status"] == "NEW"
    taken = send(exchange, TAKER, lots=4)
    assert (taken["status"], taken["executedQty"], taken["avgPrice"]) == ("FILLED", "0.004", "60000.000")
    _, body = exchange.execute(["query", MAKER, 0, resting["orderId"], None], 1000)
    assert orjson.loads(body)["status"] == "PARTIALLY_FILLED"
    _, body = exchange.execute(["trades", MAKER, 0, 10], 1000)
    assert [(trade["maker"], trade["qty"]) for trade in orjson.loads(body)] == [(True, "0.004")]


@pytest.mark.parametrize(
    ("terms", "status", "filled"),
    [
        ({"kind": "MARKET", "price": 0, "tif": "IOC", "lots": 25}, "EXPIRED", "0.020"),
        ({"tif": "IOC", "lots": 25}, "EXPIRED", "0.020"),
        ({"tif": "FOK", "lots": 25}, "EXPIRED", "0.000"),
        ({"tif": "FOK", "lots": 20}, "FILLED", "0.020"),
        ({"tif": "GTX"}, "EXPIRED", "0.000"),
        ({"tif": "GTX", "price": PRICE - 1}, "NEW", "0.000"),
        ({"lots": 25}, "PARTIALLY_FILLED", "0.020"),
    ],
)
def test_times_in_force(exchange: Exchange, terms: dict[str, Any], status: str, filled: str) -> None:
    send(exchange, MAKER, buy=False, lots=20)
    answer = send(exchange, TAKER, **terms)
    assert (answer["status"], answer["executedQty"]) == (status, filled)


def test_cancel_frees_the_margin(exchange: Exchange) -> None:
    account = exchange.ledger.accounts[MAKER]
    free = account.available(exchange.marks)
    order = send(exchange, MAKER, price=PRICE - 100)
    assert account.available(exchange.marks) < free
    status, _ = exchange.execute(["cancel", MAKER, 0, order["orderId"], None], 1000)
    assert status == 200
    assert account.available(exchange.marks) == free
    status, body = exchange.execute(["cancel", MAKER, 0, order["orderId"], None], 1000)
    assert (status, orjson.loads(body)["code"]) == (400, -2011)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"lots": 10**6}, -2019),
        ({"symbol": 1, "reduce": True, "buy": True}, -2022),
        ({"id": "twice"}, -4116),
    ],
)
def test_refusals(exchange: Exchange, terms: dict[str, Any], code: int) -> None:
    exchange.ledger.accounts[TAKER].positions[1].lots = 5
    send(exchange, TAKER, id="twice", price=PRICE - 5)
    assert send(exchange, TAKER, **terms)["code"] == code


def test_a_reduce_only_order_is_cut_to_the_position(exchange: Exchange) -> None:
    exchange.ledger.accounts[TAKER].positions[0].lots = -3
    exchange.ledger.accounts[TAKER].positions[0].cost = -3 * PRICE
    send(exchange, MAKER, buy=False, lots=20)
    assert send(exchange, TAKER, lots=10, reduce=True)["executedQty"] == "0.003"
    assert exchange.ledger.accounts[TAKER].positions[0].lots == 0


def test_there_is_a_bound_on_open_orders(exchange: Exchange) -> None:
    for _ in range(MAX_OPEN_ORDERS):
        assert send(exchange, TAKER, price=PRICE - 1000, lots=1)["http"] == 200
    assert send(exchange, TAKER, price=PRICE - 1000, lots=1)["code"] == -2025


def test_an_order_that_waited_beyond_its_window_is_not_executed(exchange: Exchange) -> None:
    terms = [0, True, "LIMIT", PRICE, 1, "GTC", "", False]
    status, body = exchange.execute(["order", TAKER, 999, terms], 1000)
    assert (status, orjson.loads(body)["code"]) == (400, -5028)
    assert not exchange.ledger.accounts[TAKER].open_orders


@pytest.mark.parametrize("command", [["unknown", 0], ["open", 99, None], ["open", -1, None]])
def test_what_the_engine_cannot_do_is_refused(exchange: Exchange, command: list[Any]) -> None:
    assert exchange.execute(command, 1000)[0] == 400
