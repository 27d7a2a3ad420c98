"""What must hold of the exchange after every command, whatever came before. Each broken one is a sentence."""

from collections import Counter
from collections.abc import Iterator

from exchange.engine.book import BookSide, Order
from exchange.engine.ledger import UNIT_VALUES, Account
from exchange.engine.matching import Exchange
from exchange.venue import SYMBOLS


def broken(exchange: Exchange, total: int) -> list[str]:
    """Return every invariant that does not hold; `total` is what `Ledger.total` was at the start."""
    return [*_conservation(exchange, total), *_books(exchange), *_accounts(exchange), *_fills(exchange)]


def _conservation(exchange: Exchange, total: int) -> Iterator[str]:
    ledger = exchange.ledger
    if ledger.total() != total:
        yield f"money is not conserved: {ledger.total() - total} units more than at the start"
    for symbol in SYMBOLS:
        held = sum(account.positions[symbol.index].lots for account in ledger.accounts)
        if held:
            yield f"positions in {symbol.name} add up to {held} lots, not to none"


def _books(exchange: Exchange) -> Iterator[str]:
    for symbol, market in zip(SYMBOLS, exchange.markets, strict=True):
        bid, ask = market.book.bids.best(), market.book.asks.best()
        if bid and ask and bid.price >= ask.price:
            yield f"the book of {symbol.name} is crossed: {bid.price} bid, {ask.price} asked"
        for side in (market.book.bids, market.book.asks):
            for level in side.levels():
                if level.lots != sum(order.remaining for order in level.orders.values()) or not level.orders:
                    yield f"the level {level.price} of {symbol.name} says {level.lots} lots and holds others"


def _accounts(exchange: Exchange) -> Iterator[str]:
    """Each open order rests in its book once, and ties exactly its margin; whatever rests is open."""
    resting = Counter(order.order_id for side in _sides(exchange) for order in _orders(side))
    for account in exchange.ledger.accounts:
        for order in account.open_orders.values():
            if resting.pop(order.order_id, 0) != 1:
                yield f"order {order.order_id} is open and does not rest once"
            if not 0 < order.remaining <= order.lots or order.status not in ("NEW", "PARTIALLY_FILLED"):
                yield f"order {order.order_id} is open with {order.remaining} lots left, as {order.status}"
        if account.open_value != _tied(account):
            yield f"account {account.number} ties {account.open_value}, its orders {_tied(account)}"
    for order_id in resting:
        yield f"order {order_id} rests and is nobody's"


def _fills(exchange: Exchange) -> Iterator[str]:
    """Each trade has two sides of equal size, and an order is filled by its trades: none lost, none double.

    Holds as far back as accounts remember their trades.
    """
    sides: dict[int, list[tuple[bool, bool, int, int]]] = {}
    filled: Counter[int] = Counter()
    for account in exchange.ledger.accounts:
        for trade in account.trades:
            sides.setdefault(trade.trade_id, []).append((trade.buy, trade.maker, trade.price, trade.lots))
            filled[trade.order_id] += trade.lots
    for trade_id, both in sides.items():
        if len(both) != 2 or both[0][0] == both[1][0] or both[0][1] == both[1][1] or both[0][2:] != both[1][2:]:
            yield f"trade {trade_id} has the sides {both}"
    for account in exchange.ledger.accounts:
        for order in (*account.open_orders.values(), *account.closed_orders.values()):
            if filled[order.order_id] != order.filled:
                yield f"order {order.order_id} is filled by {order.filled}, its trades say {filled[order.order_id]}"


def _sides(exchange: Exchange) -> Iterator[BookSide]:
    for market in exchange.markets:
        yield from (market.book.bids, market.book.asks)


def _orders(side: BookSide) -> Iterator[Order]:
    for level in side.levels():
        yield from level.orders.values()


def _tied(account: Account) -> int:
    return sum(order.remaining * order.price * UNIT_VALUES[order.symbol] for order in account.open_orders.values())
