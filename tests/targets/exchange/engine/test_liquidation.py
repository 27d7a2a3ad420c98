"""What becomes of an account whose margin is used up, in books of all depths. 1,000 lots of BTCUSDT are 60,000 USDT."""

from exchange.engine.conditional import ConditionalOrder
from exchange.engine.invariants import broken
from exchange.engine.liquidation import Rules
from exchange.venue import MONEY_UNITS_PER_USDT

from tests.support.clearing import FAR_MS, OPENING, Venue

USDT = MONEY_UNITS_PER_USDT
LONG, SHORT, OTHER, BUYER = 0, 1, 2, 3
FALLEN = OPENING[0] - 9_000  # 900 USDT less: the long's 1,000 are below the margin that 59,100 USDT need


def venue(*, fund_usdt: int = 0, rules: Rules | None = None) -> Venue:
    """A long of 1,000 lots with 1,000 USDT, its shorts, and a rich buyer."""
    venue = Venue([1_000, 50_000, 5_000, 10**6], fund_usdt=fund_usdt, rules=rules)
    venue.open(LONG, SHORT, 800)
    venue.open(LONG, OTHER, 200)
    return venue


def check(venue: Venue) -> None:
    assert broken(venue.exchange, venue.total) == []
    assert not any(account.liquidating for account in venue.accounts)


def test_a_book_that_is_deep_enough_takes_it_and_the_rest_stays() -> None:
    crisis = venue()
    crisis.send(BUYER, buy=True, price=FALLEN, lots=1_000)
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    tally, loser = crisis.clearing.liquidator.tally, crisis.accounts[LONG]
    assert (tally.accounts, tally.orders, tally.taken_over, tally.bought) == (1, 1, 0, 0)
    assert tally.sold == 59_100 * USDT == crisis.exchange.taken[False]
    # 100 USDT less the taker's fee of 0.05 % are left; the liquidation fee of 1.25 % would be more.
    assert tally.fees == crisis.clearing.fund.equity == 100 * USDT - 2_955 * USDT // 100
    assert (loser.wallet, loser.held()) == (0, [])
    order = next(iter(loser.closed_orders.values()))
    assert (order.kind, order.time_in_force, order.price) == ("LIMIT", "IOC", FALLEN * 95 // 100)
    check(crisis)


def test_the_fee_is_a_share_of_what_was_sold() -> None:
    crisis = venue(rules=Rules(fee=10))
    crisis.send(BUYER, buy=True, price=FALLEN, lots=1_000)
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    assert crisis.clearing.fund.equity == 59_100 * USDT // 1_000
    assert crisis.accounts[LONG].wallet > 0
    check(crisis)


def test_bids_beyond_the_limit_are_not_taken() -> None:
    crisis = venue(fund_usdt=10**6, rules=Rules(distance=100))
    crisis.send(BUYER, buy=True, price=FALLEN * 98 // 100, lots=1_000)
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    assert crisis.clearing.liquidator.tally.sold == 0
    assert crisis.clearing.liquidator.tally.taken_over == 1
    check(crisis)


def test_the_fund_takes_over_at_the_bankruptcy_price_and_sells_on() -> None:
    crisis = venue(fund_usdt=10_000)
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    fund, loser = crisis.clearing.fund, crisis.accounts[LONG]
    position = fund.account.positions[0]
    assert (position.lots, position.cost) == (1_000, 1_000 * (OPENING[0] - 10_000))  # 1,000 USDT below its entry
    assert (loser.wallet, loser.held()) == (0, [])
    assert fund.equity == 10_100 * USDT
    crisis.send(BUYER, buy=True, price=FALLEN, lots=400)
    crisis.send(BUYER, buy=True, price=FALLEN - 1, lots=600)
    for left in (600, 0):
        crisis.clearing.liquidator.unwind(crisis.now_ms)
        assert position.lots == left  # one level at a time
    check(crisis)


def test_without_a_fund_those_who_gain_most_with_most_leverage_are_closed_at_the_bankruptcy_price() -> None:
    crisis = venue()
    resting = crisis.send(OTHER, buy=True, price=OPENING[0] // 2, lots=1)
    assert resting["status"] == "NEW"
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    deleveraging = crisis.clearing.liquidator.deleveraging
    assert deleveraging.closes == 2
    assert deleveraging.value == 59_000 * USDT
    # 5,000 USDT carry 12,000; 50,000 carry 48,000.
    first, second = (crisis.accounts[number].trades[-1] for number in (OTHER, SHORT))
    assert first.trade_id < second.trade_id
    assert {first.price, second.price} == {OPENING[0] - 10_000}
    assert first.fee == second.fee == 0
    assert crisis.accounts[OTHER].wallet == (5_000 + 200) * USDT
    assert not crisis.accounts[OTHER].open_orders
    assert all(not account.held() for account in crisis.accounts)
    assert crisis.clearing.fund.socialised == 0
    check(crisis)


def test_without_fund_and_deleveraging_all_who_gain_pay() -> None:
    crisis = venue(rules=Rules(deleveraging=False))
    crisis.move(OPENING[0] - 15_000)  # 500 USDT more than the long has
    crisis.settle()
    assert crisis.clearing is not None
    assert crisis.clearing.fund.socialised == 500 * USDT
    assert crisis.clearing.fund.equity == 0
    assert crisis.clearing.liquidator.deleveraging.closes == 0
    paid = [50_000 * USDT - crisis.accounts[SHORT].wallet, 5_000 * USDT - crisis.accounts[OTHER].wallet]
    assert paid == [400 * USDT, 100 * USDT]
    check(crisis)


def test_a_fund_at_its_end_gives_up_what_it_holds() -> None:
    crisis = venue(fund_usdt=500)
    crisis.move(FALLEN)
    crisis.settle()
    assert crisis.clearing is not None
    assert crisis.clearing.fund.account.positions[0].lots == 1_000
    crisis.move(FALLEN - 8_000)
    crisis.clearing.liquidator.unwind(crisis.now_ms)
    assert not crisis.clearing.fund.account.held()
    assert crisis.clearing.fund.equity >= 0
    assert crisis.clearing.liquidator.deleveraging.closes == 2
    check(crisis)


def test_a_price_that_comes_back_in_time_spares_it() -> None:
    crisis = venue()
    crisis.move(FALLEN)
    crisis.move(OPENING[0])
    assert len(crisis.due) == 1
    crisis.settle()
    assert crisis.clearing is not None
    assert (crisis.clearing.liquidator.tally.accounts, crisis.clearing.liquidator.tally.spared) == (0, 1)
    crisis.move(FALLEN)
    assert len(crisis.due) == 1  # and is watched as before
    assert crisis.accounts[LONG].positions[0].lots == 1_000


def test_open_orders_are_cancelled_and_no_new_ones_taken() -> None:
    crisis = venue(fund_usdt=10_000)
    crisis.accounts[LONG].wallet += 5_000 * USDT
    crisis.send(LONG, buy=True, price=OPENING[0] - 100, lots=1)
    crisis.accounts[LONG].wallet -= 5_000 * USDT
    stop = [0, False, "STOP_MARKET", 500_000, 0, 0, "GTC", "", False, True, False]
    assert crisis.exchange.execute(["conditional", LONG, FAR_MS, stop], crisis.now_ms)[0] == 200
    crisis.move(FALLEN)
    assert crisis.send(LONG, buy=False, price=OPENING[0], lots=1)["code"] == -2023
    assert crisis.accounts[LONG].open_orders
    crisis.settle()
    assert not crisis.accounts[LONG].open_orders
    assert not crisis.exchange.conditionals.of(LONG)
    check(crisis)


def test_it_stops_as_soon_as_the_margin_suffices() -> None:
    crisis = Venue([1_000, 10**6, 10**6], rules=Rules(fee=1))
    crisis.open(0, 1, 1_000)
    crisis.open(0, 1, 100, symbol=1)  # 300 USDT of ETH beside 60,000 of BTC
    crisis.send(2, buy=True, price=OPENING[0] - 7_600, lots=1_000)
    crisis.move(OPENING[0] - 7_600)
    crisis.settle()
    assert crisis.accounts[0].held() == [1]
    assert crisis.clearing is not None
    assert crisis.clearing.liquidator.tally.orders == 1
    check(crisis)


def test_collateral_that_loses_its_price_brings_its_holder_down_and_goes_to_the_fund() -> None:
    crisis = Venue([0, 10**6], fund_usdt=10_000, collateral={0: 1_000 * 10**8})
    crisis.open(0, 1, 2_400)  # 144,000 USDT need 670
    crisis.move(OPENING[0])
    assert not crisis.due
    crisis.prices.collateral[0] = 65 * USDT // 100
    crisis.move(OPENING[0])
    crisis.settle()
    assert crisis.accounts[0].collateral == {}
    assert crisis.clearing is not None
    assert crisis.clearing.fund.account.collateral == {0: 1_000 * 10**8}
    check(crisis)


def test_a_triggered_stop_of_an_account_in_liquidation_is_not_sent() -> None:
    crisis = venue(fund_usdt=10_000)
    stop = ConditionalOrder(1, LONG, 0, False, "STOP_MARKET", FALLEN, 0, 0, "GTC", "s", False, True, False)
    crisis.exchange.conditionals.add(stop)
    crisis.move(FALLEN)
    crisis.settle()
    crisis.exchange.fire(stop, crisis.now_ms)
    assert stop.status == "CANCELED"
    check(crisis)
