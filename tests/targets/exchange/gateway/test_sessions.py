"""Gateways that ask for a session, against stores that come and go; played by the flows that log in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from exchange.flows import login, positions, signed, trade

from tests.support.exchange import Component, RunningExchange
from tests.support.flow_client import Drawn, Line

SETTINGS = {"engine.accounts": 200, "gateway.login": "one_store"}
STARTED = iter(range(1000))


@pytest.fixture(autouse=True)
def nobody_is_logged_in() -> Iterator[None]:
    signed._sessions.clear()
    yield
    signed._sessions.clear()


def store(exchange: RunningExchange, data: Path, port: int = 0) -> Component:
    started = exchange.start(f"store_{next(STARTED)}", "auth", f"--data={data}", port=port)
    exchange.wait_ready(started)
    return started


@contextmanager
def asking(exchange: RunningExchange, *stores: Component, cache: str = "off", ttl: str = "1m") -> Iterator[Line]:
    names = ("--auth", "--auth-standby")
    addresses = [f"{name}=127.0.0.1:{one.port}" for name, one in zip(names, stores, strict=False)]
    login_rule = f"--login={'one_store' if len(stores) == 1 else 'two_stores'}"
    arguments = ("--db-pool=1", f"--session-cache={cache}", f"--session-ttl={ttl}", login_rule, *addresses)
    gateway = exchange.start_gateway(f"asking_{next(STARTED)}", *arguments)
    line = Line(gateway)
    try:
        with line.http:
            yield line
    finally:
        gateway.stop()


def test_a_trader_logs_in_once_and_strangers_are_turned_away(exchange: RunningExchange, tmp_path: Path) -> None:
    sessions = store(exchange, tmp_path / "a.db")
    with asking(exchange, sessions) as line:
        positions(line, Drawn(3))  # does not know that a session is needed
        trade(line, Drawn(3, settings=SETTINGS))
        positions(line, Drawn(3, settings=SETTINGS))
        assert line.statuses == [401, 200, 200, 200]
        assert line.asked[1] == "POST /sapi/v1/session"
        signed._sessions[4] = signed._sessions[3]
        positions(line, Drawn(4, settings=SETTINGS))  # with another's token
        assert line.statuses[4:] == [401]
        metrics = sessions.metrics()
        assert metrics['resource_completions_total{resource="store"}'] == 4  # one put, three gets
    sessions.stop()


@pytest.mark.parametrize(
    ("cache", "while_it_lasts", "after_its_end"),
    [("off", 503, 503), ("until_expiry", 200, 503), ("while_down", 200, 200)],
)
def test_without_the_store_a_gateway_vouches_for_what_its_setting_says(
    exchange: RunningExchange, tmp_path: Path, cache: str, while_it_lasts: int, after_its_end: int
) -> None:
    sessions = store(exchange, tmp_path / "a.db")
    with asking(exchange, sessions, cache=cache, ttl="2s") as line:
        positions(line, Drawn(3, settings=SETTINGS))
        opened_s = monotonic()
        sessions.stop()
        positions(line, Drawn(3, settings=SETTINGS))
        assert line.statuses[-1] == while_it_lasts
        sleep(max(0.0, opened_s + 2.1 - monotonic()))  # a session ends with time alone
        positions(line, Drawn(3, settings=SETTINGS))
        assert line.statuses[-1] == after_its_end
        login(line, Drawn(5, settings=SETTINGS))
        assert line.statuses[-1] == 503, "nobody new can come"


def test_sessions_are_there_again_with_the_store(exchange: RunningExchange, tmp_path: Path) -> None:
    sessions = store(exchange, tmp_path / "a.db")
    with asking(exchange, sessions) as line:
        positions(line, Drawn(3, settings=SETTINGS))
        sessions.stop()
        again = store(exchange, tmp_path / "a.db", port=sessions.port)
        deadline_s = monotonic() + 10
        while line.statuses[-1] != 200 or len(line.statuses) < 3:
            assert monotonic() < deadline_s, line.statuses
            positions(line, Drawn(3, settings=SETTINGS))
            sleep(0.02)
        assert line.asked.count("POST /sapi/v1/session") == 1
    again.stop()


@pytest.mark.parametrize("lost", [0, 1])
def test_either_of_two_stores_will_do(exchange: RunningExchange, tmp_path: Path, lost: int) -> None:
    stores = [store(exchange, tmp_path / "a.db"), store(exchange, tmp_path / "b.db")]
    with asking(exchange, *stores) as line:
        positions(line, Drawn(3, settings=SETTINGS))
        stores[lost].stop()
        positions(line, Drawn(3, settings=SETTINGS))
        login(line, Drawn(5, settings=SETTINGS))
        assert set(line.statuses) == {200}
    stores[1 - lost].stop()
