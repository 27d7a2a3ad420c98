import orjson
import pytest
from exchange.gateway.account_bodies import account_information, position_risk
from exchange.venue import OPENING_WALLET_USDT

MARKS = [610_000, 300_000, 15_000]
WALLET = OPENING_WALLET_USDT * 10**8
ROWS = [
    (WALLET, 5_000_000, 0, 100, 100 * 600_000, 0),
    (WALLET, 5_000_000, 1, 0, 0, 0),
    (WALLET, 5_000_000, 2, -50, -50 * 15_500, 0),
]


def test_positions_are_shown_at_the_mark_price() -> None:
    bitcoin, solana = orjson.loads(position_risk(ROWS, MARKS, None))
    assert bitcoin["symbol"] == "BTCUSDT"
    assert float(bitcoin["positionAmt"]) == 0.1
    assert float(bitcoin["entryPrice"]) == 60_000
    assert float(bitcoin["unRealizedProfit"]) == pytest.approx(0.1 * 1000)
    assert float(bitcoin["notional"]) == pytest.approx(6100)
    assert float(bitcoin["initialMargin"]) == pytest.approx(305)
    assert float(bitcoin["maintMargin"]) == pytest.approx(24.4)
    assert bitcoin["updateTime"] == 5000
    assert float(solana["positionAmt"]) == -0.5
    assert float(solana["unRealizedProfit"]) == pytest.approx(0.5 * 5)
    assert [row["symbol"] for row in orjson.loads(position_risk(ROWS, MARKS, 2))] == ["SOLUSDT"]


def test_the_account_adds_up() -> None:
    account = orjson.loads(account_information(ROWS, MARKS))
    (usdt,) = account["assets"]
    assert float(usdt["marginBalance"]) == pytest.approx(OPENING_WALLET_USDT + 102.5)
    assert float(usdt["availableBalance"]) == pytest.approx(OPENING_WALLET_USDT + 102.5 - 305 - 3.75)
    assert usdt["updateTime"] == 5000
    assert len(account["positions"]) == 2


def test_at_the_liquidation_price_equity_equals_maintenance() -> None:
    """A short that is large for its wallet, alone in the account."""
    wallet = 3000 * 10**8
    lots, entry = -1000, 600_000
    rows = [(wallet, 0, 0, lots, lots * entry, 0)]
    (position,) = orjson.loads(position_risk(rows, MARKS, None))
    price = float(position["liquidationPrice"])
    equity = 3000 + (60_000 - price) * 1.0
    assert equity == pytest.approx(0.005 * price * 1.0 - 50, abs=0.11)  # the bracket from 50,000 USDT on; a tick is 0.1


def test_large_positions_need_what_their_bracket_says() -> None:
    """20 BTC, worth 1.22 million: 2.5 % less 16,300 USDT, and not 0.4 %."""
    rows = [(WALLET, 0, 0, 20_000, 20_000 * 600_000, 0)]
    (position,) = orjson.loads(position_risk(rows, MARKS, None))
    account = orjson.loads(account_information(rows, MARKS))
    assert float(position["maintMargin"]) == pytest.approx(1_220_000 * 0.025 - 16_300)
    assert account["totalMaintMargin"] == position["maintMargin"]


def test_who_is_short_of_margin_is_liquidated_where_it_stands() -> None:
    rows = [(1, 0, 0, 100, 100 * 610_000, 0), (1, 0, 1, 0, 0, 0)]
    (position,) = orjson.loads(position_risk(rows, MARKS, None))
    assert float(position["liquidationPrice"]) == pytest.approx(61_000, abs=0.2)


def test_no_fall_liquidates_what_is_backed_by_more_than_it_is_worth() -> None:
    (bitcoin, solana) = orjson.loads(position_risk(ROWS, MARKS, None))
    assert bitcoin["liquidationPrice"] == "0"
    assert float(solana["liquidationPrice"]) > 1_000_000
