from exchange.engine.ledger import Ledger
from exchange.engine.market_maker import LEVELS, MarketMaker
from exchange.engine.matching import Exchange


def test_quotes_stand_are_renewed_and_lean_against_inventory() -> None:
    exchange = Exchange(Ledger(1, 1), touched=lambda account: None)
    maker = MarketMaker(exchange, 0)
    maker.refresh(1)
    book = exchange.markets[0].book
    opening = book.bids.top(LEVELS), book.asks.top(LEVELS)
    assert [len(side) for side in opening] == [LEVELS, LEVELS]
    size = opening[0][0][1]

    sold = exchange.place(2, exchange.ledger.accounts[0], 10, [0, False, "MARKET", 0, size // 2, "IOC", "", False])
    assert sold["status"] == "FILLED"
    maker.refresh(3)
    assert book.bids.top(LEVELS) == opening[0]

    exchange.ledger.house.positions[0].lots += size * 1000
    maker.refresh(4)
    assert book.bids.top(1)[0][0] < opening[0][0][0]
    assert book.asks.top(1)[0][0] < opening[1][0][0]
    assert len(exchange.ledger.house.open_orders) == 2 * LEVELS


def test_without_patience_it_follows_those_who_sell_and_does_not_come_back() -> None:
    exchange = Exchange(Ledger(1, 1), touched=lambda account: None)
    maker = MarketMaker(exchange, 0, level_usdt=6_000, levels_per_step=1)
    maker.refresh(1)
    book = exchange.markets[0].book
    best = book.bids.top(1)[0][0]
    assert book.bids.top(LEVELS)[0][1] == 100
    exchange.place(2, exchange.ledger.accounts[0], 10, [0, False, "MARKET", 0, 500, "IOC", "", False])
    maker.refresh(3)
    assert best - book.bids.top(1)[0][0] == 5 * 60  # five levels of 0.01 %
