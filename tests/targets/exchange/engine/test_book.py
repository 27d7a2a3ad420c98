from exchange.engine.book import Fill, Order, OrderBook
from hypothesis import given
from hypothesis import strategies as st

Terms = tuple[bool, int, int, bool]
ORDERS = st.lists(st.tuples(st.booleans(), st.integers(95, 105), st.integers(1, 20), st.booleans()), max_size=60)


def play(orders: list[Terms]) -> tuple[OrderBook, list[Order], list[tuple[Order, list[Fill]]]]:
    """Send `orders` (buy, price, lots, limit?) one after the other; market orders do not rest."""
    book, sent, matched = OrderBook(), [], []
    for number, (buy, price, lots, limited) in enumerate(orders):
        order = Order(number, number, 0, buy, price if limited else 0, lots)
        sent.append(order)
        matched.append((order, book.match(order, price if limited else None)))
        if limited and order.remaining:
            book.rest(order)
    return book, sent, matched


@given(ORDERS)
def test_the_book_is_never_crossed(orders: list[Terms]) -> None:
    book, _, _ = play(orders)
    bid, ask = book.bids.best(), book.asks.best()
    assert bid is None or ask is None or bid.price < ask.price


@given(ORDERS)
def test_what_one_side_gives_the_other_receives(orders: list[Terms]) -> None:
    _, sent, matched = play(orders)
    assert sum(order.filled for order in sent if order.buy) == sum(order.filled for order in sent if not order.buy)
    for taker, fills in matched:
        assert sum(fill.lots for fill in fills) <= taker.lots
        assert all(fill.maker.filled <= fill.maker.lots for fill in fills)


@given(ORDERS)
def test_a_taker_gets_the_best_price_and_at_one_price_the_oldest_order(orders: list[Terms]) -> None:
    """Against a model that scans all resting orders for the best one, at each step."""
    _, _, matched = play(orders)
    resting: list[list[int]] = []  # [number, buy, price, remaining]
    for (taker, fills), (buy, price, lots, limited) in zip(matched, orders, strict=True):
        expected = []
        left = lots
        while left:
            sign = 1 if buy else -1
            others = [rest for rest in resting if rest[1] != buy and rest[3]]
            others = [rest for rest in others if not limited or rest[2] * sign <= price * sign]
            if not others:
                break
            best = min(others, key=lambda rest: (rest[2] * sign, rest[0]))
            taken = min(left, best[3])
            expected.append((best[0], best[2], taken))
            best[3] -= taken
            left -= taken
        assert [(fill.maker.order_id, fill.price, fill.lots) for fill in fills] == expected
        if limited and left:
            resting.append([taker.order_id, buy, price, left])


@given(ORDERS, st.data())
def test_levels_show_what_rests_also_after_cancels(orders: list[Terms], data: st.DataObject) -> None:
    book, sent, _ = play(orders)
    limited = [order for order, terms in zip(sent, orders, strict=True) if terms[3] and order.remaining]
    for order in data.draw(st.lists(st.sampled_from(limited), unique=True)) if limited else []:
        book.cancel(order)
        limited.remove(order)
    for side, buy in ((book.bids, True), (book.asks, False)):
        prices = sorted({order.price for order in limited if order.buy == buy}, reverse=buy)
        shown = [(price, sum(o.remaining for o in limited if o.buy == buy and o.price == price)) for price in prices]
        assert side.top(1000) == shown
        assert side.available(None, 10**9) == sum(lots for _, lots in shown)
