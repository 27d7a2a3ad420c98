"""The public feed of liquidations: what it shows of each second, and what it leaves out."""

import pytest
from exchange.engine.book import Order
from exchange.engine.force_orders import ForceOrderCollector, ForceOrders


def executed(number: int, lots: int, symbol: int = 0) -> Order:
    return Order(number, 1, symbol, False, 60_000, 100, filled=lots, value=lots * 60_000)


@pytest.mark.parametrize(("feed", "shown"), [("latest", [3]), ("largest", [2]), ("all", [1, 2, 3])])
def test_of_each_second_and_symbol(feed: str, shown: list[int]) -> None:
    orders = ForceOrders(feed)
    orders.due(1_000)
    for number, lots in ((1, 5), (2, 50), (3, 7)):
        orders.add(executed(number, lots))
    published = orders.due(1_900) + orders.due(2_000)
    assert [order.order_id for order in published] == shown
    assert orders.due(2_100) == orders.due(3_000) == []  # nothing happened, nothing is told
    assert (orders.executed, orders.published) == (3, len(shown))


def test_a_second_is_over_at_its_end_and_not_before() -> None:
    orders = ForceOrders("latest")
    orders.due(1_000)
    orders.add(executed(1, 1))
    assert [len(orders.due(at_ms)) for at_ms in (1_100, 1_999, 2_000, 2_001)] == [0, 0, 1, 0]


def test_symbols_do_not_hide_each_other() -> None:
    orders = ForceOrders("latest")
    for symbol in (0, 1, 2):
        orders.add(executed(symbol + 1, 1, symbol))
        orders.add(executed(symbol + 11, 1, symbol))
    assert sorted(order.order_id for order in orders.due(5_000)) == [11, 12, 13]


def test_what_happened_and_what_was_shown_are_counters() -> None:
    orders = ForceOrders("latest")
    for number in range(10):
        orders.add(executed(number, 1))
    orders.due(1_000)
    samples = {
        sample.name: sample.value for family in ForceOrderCollector(orders).collect() for sample in family.samples
    }
    assert samples == {"exchange_liquidations_total": 10, "exchange_liquidations_published_total": 1}
