import pytest
from exchange.failures import Refusal
from exchange.gateway.call import parse
from exchange.gateway.conditional_terms import conditional_reference, conditional_terms

STOP = b"algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&quantity=0.010&triggerPrice=59000"


def test_at_the_market_at_a_limit_and_for_the_whole_position() -> None:
    market = (0, False, "STOP_MARKET", 590_000, 0, 10, "GTC", "", False, False, False)
    assert conditional_terms(parse(STOP)) == market
    limit = b"&type=STOP&price=58990.5&timeInForce=GTC&workingType=MARK_PRICE&clientAlgoId=mine&reduceOnly=true"
    expected = (0, False, "STOP", 590_000, 589_905, 10, "GTC", "mine", True, False, True)
    assert conditional_terms(parse(STOP + limit)) == expected
    whole = parse(STOP + b"&closePosition=true")
    del whole[b"quantity"]
    assert conditional_terms(whole) == (0, False, "STOP_MARKET", 590_000, 0, 0, "GTC", "", False, True, False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({b"algoType": b""}, -1102),
        ({b"algoType": b"VP"}, -1100),
        ({b"type": b""}, -1102),
        ({b"type": b"MARKET"}, -1116),
        ({b"type": b"STOP"}, -1102),
        ({b"triggerPrice": b""}, -1102),
        ({b"triggerPrice": b"0"}, -4006),
        ({b"triggerPrice": b"59000.01"}, -1111),
        ({b"closePosition": b"true"}, -4136),
        ({b"workingType": b"INDEX"}, -1100),
        ({b"quantity": b""}, -1102),
        ({b"side": b"HOLD"}, -1117),
        ({b"clientAlgoId": b"x" * 37}, -4015),
    ],
)
def test_malformed(change: dict[bytes, bytes], code: int) -> None:
    with pytest.raises(Refusal) as refused:
        conditional_terms(parse(STOP) | change)
    assert refused.value.code == code


def test_one_is_named_by_either_id() -> None:
    assert conditional_reference({b"algoId": b"5"}) == (5, None)
    assert conditional_reference({b"clientAlgoId": b"mine"}) == (None, "mine")
    with pytest.raises(Refusal):
        conditional_reference({})
