from typing import Any

import orjson
import pytest
from exchange.engine.conditional import MAX_CONDITIONAL_ORDERS, ConditionalOrder, ConditionalOrders
from exchange.engine.ledger import Ledger
from exchange.engine.matching import Exchange
from exchange.failures import Refusal
from hypothesis import given
from hypothesis import strategies as st

FAR_MS = 10**15
MAKER, HOLDER, OTHER = 0, 1, 2
KINDS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET")
OPENING = 600_000


def conditional(number: int, *, buy: bool, kind: str, trigger: int, by_mark: bool = False) -> ConditionalOrder:
    return ConditionalOrder(number, 0, 0, buy, kind, trigger, 0, 1, "GTC", f"c{number}", False, False, by_mark)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(KINDS), st.integers(1, 100), st.booleans()), max_size=60),
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 100)), max_size=20),
    st.sets(st.integers(0, 59)),
)
def test_each_order_is_due_once_at_the_first_price_that_reaches_it(
    orders: list[tuple[bool, str, int, bool]], prices: list[tuple[int, int]], cancelled: set[int]
) -> None:
    book = ConditionalOrders(1)
    kept = []
    for number, (buy, kind, trigger, by_mark) in enumerate(orders):
        order = conditional(number, buy=buy, kind=kind, trigger=trigger, by_mark=by_mark)
        book.add(order)
        if number in cancelled:
            book.end(order, "CANCELED", "cancelled", 0)
        else:
            kept.append(order)
    waiting = set(range(len(orders))) - cancelled
    for last, mark in prices:
        due = {order.algo_id for order in book.due(0, last, mark)}
        expected = {
            order.algo_id
            for order in kept
            if order.algo_id in waiting and order.is_reached(mark if order.by_mark else last)
        }
        assert due == expected
        waiting -= due


def test_an_account_has_so_many_and_each_id_once() -> None:
    book = ConditionalOrders(1)
    for number in range(MAX_CONDITIONAL_ORDERS):
        book.add(conditional(number, buy=True, kind="STOP", trigger=5))
    with pytest.raises(Refusal) as twice:
        book.add(conditional(5, buy=True, kind="STOP", trigger=5))
    with pytest.raises(Refusal) as many:
        book.add(conditional(MAX_CONDITIONAL_ORDERS, buy=True, kind="STOP", trigger=5))
    assert (twice.value.code, many.value.code) == (-4116, -4045)


class Venue:
    """An exchange whose triggered orders are sent when the test says so."""

    def __init__(self) -> None:
        self.due: list[ConditionalOrder] = []
        self.exchange = Exchange(Ledger(3, 1), lambda _account: None, self.due.append)

    def send(self, account: int, **terms: object) -> dict[str, Any]:
        defaults = {"symbol": 0, "buy": True, "kind": "LIMIT", "price": OPENING, "lots": 10, "tif": "GTC", "id": ""}
        return self.tell("order", account, FAR_MS, list((defaults | {"reduce": False} | terms).values()))

    def keep(self, account: int, **terms: object) -> dict[str, Any]:
        defaults = {
            "symbol": 0, "buy": False, "kind": "STOP_MARKET", "trigger": OPENING - 100, "price": 0, "lots": 5,
            "tif": "GTC", "id": "", "reduce": False, "closes": False, "by_mark": False,
        }  # fmt: skip
        return self.tell("conditional", account, FAR_MS, list((defaults | terms).values()))

    def ask(self, *command: Any) -> Any:  # noqa: ANN401 - the venue's JSON
        _, body = self.exchange.execute(list(command), 1000)
        return orjson.loads(body)

    def tell(self, *command: object) -> dict[str, Any]:
        said: dict[str, Any] = self.ask(*command)
        return said

    def trade_at(self, price: int) -> None:
        self.send(MAKER, buy=False, price=price, lots=1)
        self.send(OTHER, buy=True, price=price, lots=1)

    def fire(self) -> None:
        while self.due:
            self.exchange.fire(self.due.pop(0), 2000)

    def lots(self, account: int) -> int:
        return self.exchange.ledger.accounts[account].positions[0].lots


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_a_stop_waits_for_its_price_and_then_for_its_turn(venue: Venue) -> None:
    kept = venue.keep(HOLDER)
    assert (kept["algoStatus"], kept["triggerPrice"], kept["quantity"]) == ("NEW", "59990.0", "0.005")
    venue.trade_at(OPENING - 50)
    assert venue.due == []
    venue.send(MAKER, buy=True, price=OPENING - 300, lots=10)
    before = venue.lots(HOLDER)
    venue.trade_at(OPENING - 100)
    assert venue.lots(HOLDER) == before
    assert venue.ask("open conditionals", HOLDER, 0)[0]["algoStatus"] == "TRIGGERING"
    venue.fire()
    assert venue.lots(HOLDER) == before - 5
    assert venue.ask("open conditionals", HOLDER, None) == []
    assert venue.exchange.conditionals.outcomes == {"sent": 1}


def test_what_has_no_margin_when_it_is_due_is_rejected_then(venue: Venue) -> None:
    assert venue.keep(HOLDER, lots=10**7)["algoStatus"] == "NEW"
    venue.trade_at(OPENING - 100)
    venue.fire()
    assert venue.exchange.conditionals.outcomes == {"rejected": 1}


@pytest.mark.parametrize("buy", [True, False])
def test_one_that_closes_takes_the_whole_position_whatever_it_is_by_then(venue: Venue, *, buy: bool) -> None:
    venue.send(MAKER, buy=buy, price=OPENING, lots=150)
    venue.send(HOLDER, buy=not buy, price=OPENING, lots=150)
    held = venue.lots(HOLDER)
    assert held != 0
    away = 100 if held < 0 else -100
    venue.keep(HOLDER, buy=held < 0, trigger=OPENING + away, lots=0, closes=True)
    venue.send(MAKER, buy=held > 0, price=OPENING + 2 * away, lots=abs(held))
    venue.trade_at(OPENING + away)
    venue.fire()
    assert venue.lots(HOLDER) == 0


def test_one_that_would_trigger_at_once_is_refused(venue: Venue) -> None:
    assert venue.keep(HOLDER, trigger=OPENING)["code"] == -2021
    assert venue.keep(HOLDER, buy=True, kind="TAKE_PROFIT_MARKET", trigger=OPENING + 5)["code"] == -2021


def test_cancelled_while_it_waits_to_be_sent_it_is_not_sent(venue: Venue) -> None:
    kept = venue.keep(HOLDER)
    venue.trade_at(OPENING - 100)
    assert venue.ask("cancel conditional", HOLDER, kept["algoId"], None)["code"] == "200"
    before = venue.lots(HOLDER)
    venue.fire()
    assert venue.lots(HOLDER) == before
    assert venue.ask("cancel conditional", HOLDER, None, kept["clientAlgoId"])["code"] == -2011
    assert venue.ask("query conditional", HOLDER, kept["algoId"], None)["code"] == -2013


def test_a_limit_rests_once_it_is_set_off(venue: Venue) -> None:
    kept = venue.keep(HOLDER, kind="STOP", price=OPENING + 500, lots=3)
    venue.trade_at(OPENING - 100)
    venue.fire()
    (resting,) = venue.ask("open", HOLDER, 0)
    assert (resting["clientOrderId"], resting["price"], resting["status"]) == (kept["clientAlgoId"], "60050.0", "NEW")


def test_what_came_too_old_is_refused(venue: Venue) -> None:
    assert venue.ask("conditional", HOLDER, 10, [])["code"] == -5028
