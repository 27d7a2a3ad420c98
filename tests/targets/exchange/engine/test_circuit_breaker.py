import asyncio
import sys
from itertools import count
from pathlib import Path

import orjson
import pytest
from exchange.engine.__main__ import Engine, _parse
from exchange.engine.circuit_breaker import CircuitBreaker, HaltRules
from exchange.engine.ledger import Ledger
from exchange.engine.matching import Exchange
from hypothesis import given
from hypothesis import strategies as st

from tests.support.exchange import running_exchange

RULES = HaltRules(fall=5, window_ms=1_000, halt_ms=500)
PRICE = 600_000
FAR_MS = 10**15
WITHIN_S = 20.0


@pytest.mark.parametrize(
    ("trades", "halts"),
    [
        ([(0, 1000), (100, 951)], 0),
        ([(0, 1000), (100, 950)], 1),
        ([(0, 1000), (1001, 950)], 0),  # the fall took longer than the window
        ([(0, 1000), (400, 980), (1300, 931)], 1),  # from the highest price of the last second
        ([(0, 900), (100, 1000), (200, 950)], 1),
        ([(0, 1000), (100, 950), (599, 800)], 1),  # trades of a halt are not watched
        ([(0, 1000), (100, 950), (600, 800), (700, 770)], 1),  # it opens again at what it finds
        ([(0, 1000), (100, 950), (600, 800), (700, 760)], 2),
        ([(0, 1000), (100, 1100)], 0),
    ],
)
def test_a_fall_within_the_window_halts(trades: list[tuple[int, int]], halts: int) -> None:
    breaker = CircuitBreaker(RULES)
    for now_ms, price in trades:
        breaker.observe(0, price, now_ms)
    assert breaker.halts == halts


def test_symbols_are_watched_apart_and_halt_together() -> None:
    breaker = CircuitBreaker(RULES)
    breaker.observe(0, 1000, 0)
    breaker.observe(1, 900, 0)
    assert not breaker.is_halted(0)
    breaker.observe(1, 850, 10)
    assert breaker.is_halted(10)
    assert (breaker.halted_s(260), breaker.halted_s(510), breaker.halted_s(9_999)) == (0.25, 0.5, 0.5)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(900, 1100)), min_size=1, max_size=60))
def test_it_halts_exactly_when_the_window_says_so(steps: list[tuple[int, int]]) -> None:
    breaker = CircuitBreaker(RULES)
    now_ms, open_ms = 0, 0
    window: list[tuple[int, int]] = []
    for passed_ms, price in steps:
        now_ms += passed_ms
        breaker.observe(0, price, now_ms)
        if now_ms < open_ms:
            continue
        window = [(at_ms, seen) for at_ms, seen in [*window, (now_ms, price)] if at_ms >= now_ms - RULES.window_ms]
        if price * 100 <= max(seen for _, seen in window) * 95:
            open_ms, window = now_ms + RULES.halt_ms, []
        assert breaker.is_halted(now_ms) == (now_ms < open_ms)


class Halted:
    """An exchange in which account 1 has sold from account 0's bids, 6 % down: halted until 1500 ms."""

    def __init__(self) -> None:
        self.exchange = Exchange(Ledger(3, 1), touched=lambda account: None)
        self.breaker = self.exchange.breaker = CircuitBreaker(RULES)
        for price in (PRICE, PRICE * 94 // 100, PRICE * 94 // 100 - 1):
            assert self.send(0, 1000, buy=True, price=price)["status"] == "NEW"
        assert self.send(1, 1000, buy=False, price=PRICE * 94 // 100, lots=20)["status"] == "FILLED"

    def send(self, account: int, now_ms: int, **changes: object) -> dict[str, object]:
        terms = {"symbol": 0, "buy": True, "kind": "LIMIT", "price": PRICE // 2, "lots": 10, "tif": "GTC", "id": ""}
        wanted = terms | {"reduce": False} | changes
        body: dict[str, object] = orjson.loads(
            self.exchange.execute(["order", account, FAR_MS, list(wanted.values())], now_ms)[1]
        )
        return body


def test_the_order_that_trips_it_is_filled_and_the_next_is_refused_until_it_opens_again() -> None:
    halted = Halted()
    refused = halted.send(2, 1499)
    assert refused["code"] == -4400
    assert halted.breaker.turned_away == {"order": 1}
    assert halted.send(2, 1500)["status"] == "NEW"


def test_what_reduces_a_position_and_cancels_are_let_through() -> None:
    halted = Halted()
    held = halted.exchange.ledger.accounts[2].positions[0].lots
    assert held
    assert "status" in halted.send(2, 1200, buy=held < 0, price=PRICE, reduce=True)
    rests = next(iter(halted.exchange.ledger.accounts[0].open_orders))
    assert halted.exchange.execute(["cancel", 0, 0, rests, None], 1200)[0] == 200


async def test_a_liquidation_waits_until_trading_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--port=1", "--metrics-port=1", "--positions=us=127.0.0.1:1", "--accounts=20", "--service-time=0"]
    monkeypatch.setattr(sys, "argv", ["engine", *arguments, "--liquidations=on", "--circuit-breaker=5"])
    engine = Engine(_parse())
    breaker = engine.breaker
    assert engine.clearing is not None
    assert breaker is not None
    account = engine.ledger.accounts[3]
    account.liquidating = True  # it is sound, so that its first step finds nothing to do and ends
    with monkeypatch.context() as halt:
        halt.setattr(breaker, "is_halted", lambda now_ms: True)
        engine._send_step(account)
        engine._clear()
        assert account.liquidating
        assert breaker.turned_away == {"liquidation": 1}
    engine._clear()
    await asyncio.sleep(0)
    assert not account.liquidating


def test_an_engine_with_a_breaker_tells_of_it(tmp_path: Path) -> None:
    settings = ("--accounts=20", "--circuit-breaker=1", "--maker-depth=1000", "--maker-patience=1")
    with running_exchange(tmp_path, *settings) as exchange:
        engine = exchange.components["engine"]
        assert engine.metrics()["exchange_halted"] == 0
        told = asyncio.run(_sell_until_halted(engine.port))
        metrics = engine.metrics()
    assert told["code"] == -4400
    assert (metrics["exchange_halted"], metrics["exchange_halts_total"]) == (1, 1)
    assert metrics["exchange_halted_seconds_total"] > 0
    assert metrics['exchange_halted_commands_total{kind="order"}'] == 1


async def _sell_until_halted(port: int) -> dict[str, object]:
    """Sell at the market, while the market maker follows, until an order is refused; returns its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(WITHIN_S):
        for number in count():
            terms = [0, False, "MARKET", 0, 700, "IOC", "", False]
            writer.write(b"%d %s\n" % (number, orjson.dumps(["order", number % 20, FAR_MS, terms])))
            answer: dict[str, object] = orjson.loads((await reader.readline()).split(b" ", 2)[2])
            if "code" in answer:
                break
            await asyncio.sleep(0.02)  # the market maker renews its quotes three times a second
    writer.close()
    return answer
