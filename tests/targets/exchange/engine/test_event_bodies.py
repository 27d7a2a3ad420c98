"""Shapes of events where nothing happened yet; `test_events` has those of a day."""

from typing import Any

import orjson
from exchange.engine.book import Order
from exchange.engine.event_bodies import account_event, force_order_event, order_event
from exchange.engine.ledger import Account, Position


def told(event: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
    """The event as a client reads it."""
    return orjson.loads(orjson.dumps(event))


def test_an_order_of_which_nothing_was_filled_has_no_average() -> None:
    order = Order(7, 1, 1, True, 300_000, 1_500, client_id="mine")
    assert told(order_event(order, 5))["o"]["ap"] == "0"
    assert told(force_order_event(order, 5))["o"]["q"] == "1.500"


def test_a_closed_position_is_told_as_nothing() -> None:
    account = Account(1, -5 * 10**7, (Position(), Position(-10, -3_000_000), Position()))
    update = told(account_event(account, {0, 1}, [600_000, 310_000, 15_000], 5))["a"]
    assert update["B"][0]["wb"] == "-0.50000000"
    assert [(each["pa"], each["ep"], each["up"]) for each in update["P"]] == [
        ("0.000", "0", "0.00000000"), ("-0.010", "3000.0000", "-1.00000000"),
    ]  # fmt: skip
