"""The flows of people and bots against a running exchange: what they did is asked of the exchange, not of them."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from exchange.flows import correct_bot, fear, maker, margin_top_up, naive_bot, stop_loss, trade
from exchange.flows.client import Arrival, Client
from exchange.flows.making import MAKERS
from exchange.flows.signed import Trader

from tests.support.exchange import RunningExchange
from tests.support.flow_client import Drawn, Line

CROWD = 20


@pytest.fixture
def line(exchange: RunningExchange) -> Iterator[Line]:
    client = Line(exchange.components["gateway"])
    with client.http:
        yield client


def asked(line: Line, account: int, path: str, query: str = "") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(Trader(line, account).get(path, query).body)
    return found


def test_a_stop_is_placed_once_on_the_side_that_closes(line: Line) -> None:
    for _ in range(2):
        stop_loss(line, Drawn(61))
    stops = asked(line, 61, "/fapi/v1/openAlgoOrders")
    assert [stop["closePosition"] for stop in stops] == [True]
    (held,) = asked(line, 61, "/fapi/v3/positionRisk", f"symbol={stops[0]['symbol']}")
    assert (stops[0]["side"] == "SELL") == (float(str(held["positionAmt"])) > 0)
    assert set(line.statuses) == {200}


def test_margin_is_topped_up_where_it_is_thin(exchange: RunningExchange, tmp_path: Path) -> None:
    database = exchange.start("thin_positions", "positions", f"--data={tmp_path}/pg")
    engine = exchange.start(
        "thin", "engine", f"--positions=us=127.0.0.1:{database.port}", "--accounts=200", "--opening-leverage=125"
    )
    exchange.wait_ready(database)
    exchange.wait_ready(engine)
    gateway = exchange.start_gateway("thin_gateway", engine=engine.port, positions=database.port)
    line = Line(gateway)
    with line.http:
        for key in range(60):
            margin_top_up(line, Drawn(key))
    assert set(line.statuses) == {200}
    transfers = line.asked.count("POST /sapi/v1/asset/transfer")
    assert 0 < transfers < 60
    assert engine.metrics()["exchange_deposits_usdt_total"] >= transfers * 0.01
    for component in (gateway, engine, database):
        component.stop()


def test_a_maker_has_two_quotes_in_a_symbol_however_often_it_comes(line: Line) -> None:
    for _ in range(3):
        maker(line, Drawn(MAKERS + 7))
    assert set(line.statuses) <= {200, 400}
    quotes = asked(line, 7, "/fapi/v1/openOrders")
    assert sorted(str(quote["side"]) for quote in quotes) in (["BUY", "SELL"], ["BUY"], ["SELL"])


def test_fear_asks_again_only_where_the_answer_is_no_comfort(exchange: RunningExchange, line: Line) -> None:
    fear(line, Drawn(5))
    assert len(line.asked) == 1
    banned = exchange.start_gateway("strict", "--rate-limit=5", "--ban-after=100", "--db-pool=1")
    refused = Line(banned)
    with refused.http:
        fear(refused, Drawn(5))
        fear(refused, Drawn(5))
    assert refused.statuses == [200, 429, 429, 429, 429]
    banned.stop()


@pytest.mark.parametrize(("bot", "twice"), [(naive_bot, True), (correct_bot, False)])
def test_only_the_naive_bot_is_filled_twice(
    exchange: RunningExchange, *, bot: Callable[[Client, Arrival], None], twice: bool
) -> None:
    """A queue of a second before the matching, and a gateway that gives up after a third of one."""
    place = f"us=127.0.0.1:{exchange.components['positions'].port}"
    name = f"double_{twice}"
    slow = exchange.start(name, "engine", f"--positions={place}", "--accounts=200", "--service-time=50ms")
    exchange.wait_ready(slow)
    given_up = ("--backend-timeout=300ms", "--timeout-form=unknown_error", "--db-pool=1")
    gateways = [
        exchange.start_gateway(f"{name}_hasty", *given_up, engine=slow.port),
        exchange.start_gateway(f"{name}_patient", "--backend-timeout=30s", "--db-pool=1", engine=slow.port),
    ]
    hasty, patient = (Line(gateway) for gateway in gateways)
    with ThreadPoolExecutor(CROWD) as crowd, hasty.http, patient.http:
        before = [crowd.submit(trade, patient, Drawn(key)) for key in range(20, 20 + CROWD)]
        wait(before, return_when=FIRST_COMPLETED)
        bot(hasty, Drawn(9, index=3))
        asked(patient, 9, "/fapi/v1/openOrders")  # behind everything that was sent before
    assert 503 in hasty.statuses
    metrics = slow.metrics()
    assert metrics["exchange_intents_filled_total"] == 1
    assert (metrics["exchange_double_fills_total"] > 0) == twice
    for component in (*gateways, slow):
        component.stop()
