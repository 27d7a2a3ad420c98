"""Open interest, the ADL queue, the fund and forced orders, as commands of the engine."""

import pytest
from exchange.engine.book import Order
from exchange.engine.ledger import Account, Ledger, Position
from exchange.engine.margin import Margin
from exchange.engine.market_risk import MarketRisk
from exchange.engine.matching import Exchange

MONEY = 10**8


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(Ledger(100, 3), lambda _account: None)


@pytest.fixture
def risk(exchange: Exchange) -> MarketRisk:
    return MarketRisk(exchange, Margin(exchange.marks), None)


def test_open_interest_is_the_sum_of_longs_counted_once_a_second(exchange: Exchange, risk: MarketRisk) -> None:
    accounts = exchange.ledger.accounts
    longs = sum(max(0, account.positions[0].lots) for account in accounts)
    shorts = sum(max(0, -account.positions[0].lots) for account in accounts)
    assert longs == shorts
    assert risk.open_interest(1_000, accounts[0], 0)["openInterest"] == f"{longs / 1000:.3f}"
    held = next(account for account in accounts if account.positions[0].lots > 0)
    held.positions[0].lots += 5
    assert risk.open_interest(1_999, accounts[0], 0)["openInterest"] == f"{longs / 1000:.3f}"
    assert risk.open_interest(2_000, accounts[0], 0)["openInterest"] == f"{(longs + 5) / 1000:.3f}"


def test_quantiles_part_the_holders_of_a_side_into_fifths(exchange: Exchange, risk: MarketRisk) -> None:
    exchange.marks[0] += 3_000  # longs have gained; the smaller the wallet, the higher the leverage
    for account in exchange.ledger.accounts:
        account.wallet = (1_000 + account.number) * MONEY
    found: dict[int, int] = {}
    for account in exchange.ledger.accounts[:100]:
        if account.positions[0].lots > 0:
            (rank,) = risk.adl_quantiles(1_000, account, 0)
            sides = rank["adlQuantile"]
            assert isinstance(sides, dict)
            assert sides["LONG"] == sides["SHORT"] == sides["BOTH"]
            found[account.number] = sides["BOTH"]
    share = len(found) / 5
    assert all(abs(list(found.values()).count(quantile) - share) <= 1 for quantile in range(5))


def test_the_ranking_is_kept_for_half_a_minute(exchange: Exchange, risk: MarketRisk) -> None:
    account = next(account for account in exchange.ledger.accounts if account.positions[0].lots > 0)

    def quantile(now_ms: int) -> object:
        return risk.adl_quantiles(now_ms, account, 0)[0]["adlQuantile"]

    exchange.marks[0] += 3_000
    quantile(0)
    for other in exchange.ledger.accounts:
        other.wallet = (other is not account) * 10**6 * MONEY + 10_000 * MONEY
    assert quantile(29_999) == {"LONG": 4, "SHORT": 4, "BOTH": 4}  # its own score is of now
    exchange.ledger.accounts[:] = [account]
    assert quantile(30_000) == {"LONG": 4, "SHORT": 4, "BOTH": 4}


def test_an_account_sees_its_forced_orders_by_kind(exchange: Exchange, risk: MarketRisk) -> None:
    account = exchange.ledger.accounts[1]
    for number, client_id in enumerate(("mine", "autoclose-2", "adl_autoclose", "takeover_autoclose", "autoclose-9")):
        account.close(Order(number, 1, number % 2, False, 1, 1, client_id=client_id, status="FILLED"))
    ids = [order["clientOrderId"] for order in risk.forced_orders(0, account, None, None, 50)]
    assert ids == ["autoclose-2", "adl_autoclose", "takeover_autoclose", "autoclose-9"]
    assert [order["orderId"] for order in risk.forced_orders(0, account, None, "ADL", 50)] == [2]
    assert [order["orderId"] for order in risk.forced_orders(0, account, 0, "LIQUIDATION", 50)] == [4]
    assert [order["orderId"] for order in risk.forced_orders(0, account, None, None, 1)] == [4]


def test_the_fund_is_worth_its_equity(exchange: Exchange) -> None:
    fund = Account(101, 5 * MONEY, (Position(10, 10 * exchange.marks[0]), Position(), Position()), house=True)
    risk = MarketRisk(exchange, Margin(exchange.marks), fund)
    exchange.marks[0] += 1_000
    assert risk.insurance(7, fund)["assets"] == [{"asset": "USDT", "marginBalance": "6.00000000", "updateTime": 7}]
