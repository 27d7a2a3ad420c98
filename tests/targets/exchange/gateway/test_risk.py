"""Brackets and refusals of the risk endpoints; `test_ccxt` and `test_opacity` ask the whole venue."""

import json

import pytest
from exchange.engine.margin import BRACKETS, SCALE, maintenance
from exchange.failures import Refusal
from exchange.gateway.call import Call
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.market import Market
from exchange.gateway.pool import Pool
from exchange.gateway.risk import Risk
from exchange.gateway.trading import Trading
from service.workers import Workers

MONEY = 10**8


@pytest.fixture
def risk() -> Risk:
    address = ("127.0.0.1", 1)
    return Risk(Trading(Workers(1, 1, 0.0), Pool(address, 1, 1.0), EngineLink(address, 1.0), Market([])))


async def test_the_brackets_are_those_by_which_the_engine_liquidates(risk: Risk) -> None:
    (told,) = json.loads(await risk.leverage_brackets(Call({b"symbol": b"ETHUSDT"}, 0.0)))
    assert told["symbol"] == "ETHUSDT"
    assert len(told["brackets"]) == len(BRACKETS) == 10
    for bracket in told["brackets"]:
        for notional in (bracket["notionalFloor"], (bracket["notionalFloor"] + bracket["notionalCap"]) // 2):
            margin = notional * bracket["maintMarginRatio"] - bracket["cum"]
            assert margin == pytest.approx(maintenance(notional * MONEY) / MONEY / SCALE)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({b"symbol": b"BTCUSDT"}, -1102),
        ({b"symbol": b"BTCUSDT", b"leverage": b"x"}, -1100),
        ({b"symbol": b"BTCUSDT", b"leverage": b"21"}, -4028),
        ({b"symbol": b"DOGEUSDT", b"leverage": b"20"}, -1121),
    ],
)
async def test_another_leverage_is_refused(risk: Risk, parameters: dict[bytes, bytes], code: int) -> None:
    with pytest.raises(Refusal) as refused:
        await risk.set_leverage(Call(parameters, 0.0))
    assert refused.value.code == code


async def test_the_largest_position_of_a_leverage_is_that_of_its_last_bracket(risk: Risk) -> None:
    body = json.loads(await risk.set_leverage(Call({b"symbol": b"BTCUSDT", b"leverage": b"20"}, 0.0)))
    assert body == {"leverage": 20, "maxNotionalValue": "10000000", "symbol": "BTCUSDT"}


async def test_forced_orders_have_two_kinds(risk: Risk) -> None:
    with pytest.raises(Refusal) as refused:
        await risk.force_orders(Call({b"autoCloseType": b"OTHER"}, 0.0))
    assert refused.value.code == -1106
