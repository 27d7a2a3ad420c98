"""Unmodified ccxt against a running gateway: the calls that traders use, the errors that they match on."""

from collections.abc import Callable
from time import monotonic

import ccxt
import pytest

from tests.support.ccxt_client import trader
from tests.support.exchange import RunningExchange

SYMBOL = "BTC/USDT:USDT"


def test_the_whole_call_list(exchange: RunningExchange) -> None:
    client = trader(exchange.components["gateway"].port, 3)
    markets = client.load_markets()
    assert markets[SYMBOL]["swap"]
    assert markets[SYMBOL]["precision"] == {**markets[SYMBOL]["precision"], "amount": 0.001, "price": 0.1}
    book = client.fetch_order_book(SYMBOL, 5)
    assert len(book["bids"]) == 5
    assert book["bids"][0][0] < book["asks"][0][0]
    ticker = client.fetch_ticker(SYMBOL)
    assert ticker["last"] > 0
    bid = book["bids"][-1][0]

    resting = client.create_order(SYMBOL, "limit", "buy", 0.01, bid)
    assert resting["status"] == "open"
    assert client.fetch_order(resting["id"], SYMBOL)["remaining"] == 0.01
    assert resting["id"] in [order["id"] for order in client.fetch_open_orders(SYMBOL)]
    assert client.cancel_order(resting["id"], SYMBOL)["status"] == "canceled"
    assert client.fetch_open_orders(SYMBOL) == []

    filled = client.create_order(SYMBOL, "market", "buy", 0.02)
    assert filled["status"] == "closed"
    assert filled["filled"] == 0.02
    assert book["bids"][0][0] < filled["average"] < book["asks"][-1][0]
    assert client.fetch_my_trades(SYMBOL)[-1]["order"] == filled["id"]
    balance = client.fetch_balance()
    assert 0 < balance["USDT"]["free"] < balance["USDT"]["total"]


def test_a_stop_loss_waits_is_cancelled_and_another_is_sent_when_its_price_comes(exchange: RunningExchange) -> None:
    client = trader(exchange.components["gateway"].port, 11)
    client.load_markets()
    symbol = "SOL/USDT:USDT"
    last = client.fetch_ticker(symbol)["last"]
    stop = {"stopLossPrice": last * 0.5}
    kept = client.create_order(symbol, "market", "sell", 1, None, stop)
    assert (kept["status"], kept["triggerPrice"]) == ("open", pytest.approx(last * 0.5, rel=1e-3))
    assert [order["id"] for order in client.fetch_open_orders(symbol, params={"trigger": True})] == [kept["id"]]
    assert client.fetch_order(kept["id"], symbol, {"trigger": True})["status"] == "open"
    client.cancel_order(kept["id"], symbol, {"trigger": True})
    assert client.fetch_open_orders(symbol, params={"trigger": True}) == []

    # Its trigger is the next tick above: the purchase that follows reaches it.
    ask = client.fetch_order_book(symbol, 5)["asks"][0][0]
    client.create_order(symbol, "market", "buy", 1, None, {"triggerPrice": max(ask, last + 0.01)})
    traded = len(client.fetch_my_trades(symbol))
    client.create_order(symbol, "market", "buy", 10_000)
    deadline_s = monotonic() + 5
    while client.fetch_open_orders(symbol, params={"trigger": True}):
        assert monotonic() < deadline_s, "its price came, and the stop did not"
    assert len(client.fetch_my_trades(symbol)) > traded
    assert exchange.components["engine"].metrics()['exchange_conditional_orders_total{outcome="sent"}'] >= 1
    assert exchange.components["engine"].metrics()["exchange_trigger_delay_seconds_count"] >= 1


def contracts(client: ccxt.binanceusdm) -> float | None:
    """Signed contracts held in the symbol, or None where there is no position."""
    for position in client.fetch_positions([SYMBOL]):
        return float(position["contracts"] * (1 if position["side"] == "long" else -1))
    return None


def test_a_fill_reaches_the_position_through_the_database(exchange: RunningExchange) -> None:
    client = trader(exchange.components["gateway"].port, 7)
    before = contracts(client)
    assert before is not None
    client.create_order(SYMBOL, "market", "buy", 0.25)
    deadline_s = monotonic() + 5
    while contracts(client) != pytest.approx(before + 0.25):
        assert monotonic() < deadline_s, "write-behind never brought the fill"
    assert int(client.last_response_headers["X-Position-Age-Ms"]) < 5000


def test_what_the_venue_tells_about_funding_leverage_and_risk(exchange: RunningExchange) -> None:
    client = trader(exchange.components["gateway"].port, 5)
    assert abs(client.fetch_time() - client.milliseconds()) < 60_000
    assert client.fetch_mark_price(SYMBOL)["markPrice"] == client.fetch_funding_rate(SYMBOL)["markPrice"]
    history = client.fetch_funding_rate_history(SYMBOL, limit=3)
    assert [rate["timestamp"] % (8 * 3_600_000) for rate in history] == [0, 0, 0]

    tiers = client.fetch_leverage_tiers([SYMBOL])[SYMBOL]
    assert len(tiers) == 10
    assert [tiers[0][key] for key in ("minNotional", "maxNotional", "maintenanceMarginRate", "maxLeverage")] == [
        0, 50_000, 0.004, 125,
    ]  # fmt: skip
    assert tiers[-1]["maintenanceMarginRate"] == 0.5
    assert client.set_leverage(20, SYMBOL)["leverage"] == 20
    with pytest.raises(ccxt.ExchangeError, match="this venue's orders have 20"):
        client.set_leverage(50, SYMBOL)

    assert client.fetch_open_interest(SYMBOL)["openInterestAmount"] > 0
    ranks = client.fetch_positions_adl_rank([SYMBOL])
    assert [rank["rank"] in range(5) for rank in ranks] == [True]
    assert client.fetch_my_liquidations(SYMBOL) == []
    assert client.fapiPublicGetInsuranceBalance()["assets"][0]["marginBalance"] == "0.00000000"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.cancel_order("999999999", SYMBOL), ccxt.OrderNotFound),
        (lambda client: client.fetch_order("999999999", SYMBOL), ccxt.OrderNotFound),
        (lambda client: client.create_order(SYMBOL, "limit", "buy", 1000, 60000), ccxt.InsufficientFunds),
        (
            lambda client: client.create_order("ETH/USDT:USDT", "limit", "buy", 0.001, 100),
            ccxt.InvalidOrder,
        ),
    ],
)
def test_refusals_become_the_right_exceptions(
    exchange: RunningExchange, call: Callable[[ccxt.binanceusdm], object], error: type[Exception]
) -> None:
    client = trader(exchange.components["gateway"].port, 4)
    client.load_markets()
    with pytest.raises(error):
        call(client)


def test_a_wrong_secret_is_an_authentication_error(exchange: RunningExchange) -> None:
    client = trader(exchange.components["gateway"].port, 4)
    client.secret = "0" * 64
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_an_old_timestamp_is_an_invalid_nonce(exchange: RunningExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    client = trader(exchange.components["gateway"].port, 4)
    monkeypatch.setattr(client, "nonce", lambda: client.milliseconds() - 60_000)
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()


def test_a_spent_budget_is_refused_and_then_banned(exchange: RunningExchange) -> None:
    limited = exchange.start_gateway("limited", "--rate-limit=41", "--ban-after=2", "--rate-limit-window=1h")
    client = trader(limited.port, 4)
    seen = []
    for _ in range(16):
        try:
            client.fetch_balance()
        except ccxt.DDoSProtection as error:
            seen.append(str(error))
    assert len(seen) == 8  # one weight for the markets, five for each of eight balances
    assert ["banned" in message for message in seen] == [False] * 2 + [True] * 6
    assert int(client.last_response_headers["Retry-After"]) > 0
    metrics = limited.metrics()
    assert metrics['resource_rejections_total{reason="429",resource="rate_limit"}'] == 2
    assert metrics['resource_busy_seconds_total{resource="rate_limit"}'] == 41 * 3600
