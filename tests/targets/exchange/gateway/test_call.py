import pytest
from exchange.failures import Refusal
from exchange.gateway.call import order_reference, order_terms, parse, transfer_amount, units
from hypothesis import given
from hypothesis import strategies as st

LIMIT = b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.010&price=60000.1&timeInForce=GTC"


def test_a_limit_and_a_market_order() -> None:
    assert order_terms(parse(LIMIT)) == (0, True, "LIMIT", 600_001, 10, "GTC", "", False)
    market = b"symbol=SOLUSDT&side=SELL&type=MARKET&quantity=2&reduceOnly=true&newClientOrderId=a%2Fb"
    assert order_terms(parse(market)) == (2, False, "MARKET", 0, 200, "IOC", "a/b", True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({b"symbol": b"DOGEUSDT"}, -1121),
        ({b"symbol": b""}, -1102),
        ({b"side": b"HOLD"}, -1117),
        ({b"type": b"STOP_MARKET"}, -4120),
        ({b"type": b"ICEBERG"}, -1116),
        ({b"quantity": b"0.0001"}, -1111),
        ({b"quantity": b"-1"}, -1100),
        ({b"quantity": b"0"}, -4003),
        ({b"quantity": b"1e3"}, -1100),
        ({b"price": b"0"}, -4013),
        ({b"price": b"60000.12"}, -1111),
        ({b"price": b"100"}, -4164),
        ({b"timeInForce": b""}, -1102),
        ({b"timeInForce": b"DAY"}, -1115),
        ({b"newClientOrderId": b"x" * 37}, -4015),
    ],
)
def test_malformed_orders(change: dict[bytes, bytes], code: int) -> None:
    with pytest.raises(Refusal) as refused:
        order_terms(parse(LIMIT) | change)
    assert refused.value.code == code


TRANSFER = b"type=MAIN_UMFUTURE&asset=USDT&amount=12.5"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({b"type": b"UMFUTURE_MAIN"}, -1100),
        ({b"asset": b""}, -1102),
        ({b"amount": b"0"}, -9000),
        ({b"amount": b"2000000000"}, -9000),
        ({b"amount": b"-5"}, -1100),
    ],
)
def test_transfers_come_in_and_are_of_usdt(change: dict[bytes, bytes], code: int) -> None:
    assert transfer_amount(parse(TRANSFER)) == 1_250_000_000
    with pytest.raises(Refusal) as refused:
        transfer_amount(parse(TRANSFER) | change)
    assert refused.value.code == code


@given(st.decimals(0, 10**6, places=3, allow_nan=False))
def test_decimals_are_read_exactly(number: object) -> None:
    assert units({b"quantity": str(number).encode()}, b"quantity", 3) == int(str(number).replace(".", ""))


@given(st.binary(max_size=80))
def test_any_payload_can_be_parsed_and_is_refused_in_the_venues_way(payload: bytes) -> None:
    with pytest.raises(Refusal):
        order_terms(parse(payload))


def test_an_order_is_named_by_either_id() -> None:
    assert order_reference({b"orderId": b"5"}) == (5, None)
    assert order_reference({b"origClientOrderId": b"mine"}) == (None, "mine")
    with pytest.raises(Refusal):
        order_reference({})
