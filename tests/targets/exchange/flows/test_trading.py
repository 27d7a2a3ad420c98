from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from exchange.failures import Refusal
from exchange.flows import panic, positions, trade
from exchange.flows.client import Response
from exchange.flows.trading import order_form
from exchange.gateway.call import order_terms, parse
from exchange.gateway.signing import Signatures, split_signature
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.integers(0, 2**32 - 1)


class Recorder:
    """A client that keeps what it was asked to send."""

    def __init__(self, status: int = 200, body: bytes = b"{}") -> None:
        self.sent: tuple[str, str, dict[str, str], bytes] | None = None
        self.failures: list[str] = []
        self._response = Answer(status, body)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        self.sent = (method, target, dict(headers or {}), body)
        return self._response

    def fail(self, reason: str) -> None:
        self.failures.append(reason)


@dataclass
class Drawn:
    """An arrival."""

    key: int
    index: int = 0
    settings: Mapping[str, object] = field(default_factory=lambda: {"engine.accounts": 300})


@dataclass
class Answer:
    """A response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@given(KEYS)
def test_every_drawn_order_is_one_that_the_venue_takes(key: int) -> None:
    order_terms(parse(order_form(key).encode()))


@given(KEYS)
def test_requests_are_signed_by_the_account_that_the_key_draws(key: int) -> None:
    for flow in (trade, positions):
        client = Recorder()
        flow(client, Drawn(key))
        assert client.sent is not None
        _, target, headers, body = client.sent
        payload, signature = split_signature(target.partition("?")[2].encode(), body)
        account = Signatures().account(headers["X-MBX-APIKEY"].encode(), payload, signature, accounts=300)
        assert account == key % 300


def test_the_draw_is_balanced() -> None:
    forms = [order_form(key) for key in range(0, 2**32, 2**32 // 4000)]
    assert sum("side=BUY" in form for form in forms) == pytest.approx(2000, rel=0.1)
    assert sum("type=MARKET" in form for form in forms) == pytest.approx(2000, rel=0.1)
    assert sum("BTCUSDT" in form for form in forms) == pytest.approx(4000 / 3, rel=0.1)


def test_an_order_that_expires_unfilled_is_a_failure() -> None:
    client = Recorder(body=b'{"orderId":1,"status":"EXPIRED"}')
    trade(client, Drawn(1))
    assert client.failures == ["order expired unfilled"]


def test_a_refusal_is_a_refusal() -> None:
    assert Refusal(400, -1, "no").body == b'{"code":-1,"msg":"no"}'


@given(KEYS)
def test_those_who_panic_sell_at_the_market_from_funded_accounts(key: int) -> None:
    client = Recorder(body=b'{"status":"EXPIRED"}')
    panic(client, Drawn(key, settings={"engine.accounts": 300, "engine.funded_accounts": 20}))
    assert client.sent is not None
    _, target, headers, body = client.sent
    assert target == "/fapi/v1/order"
    assert int(headers["X-MBX-APIKEY"].removeprefix("account-")) < 20
    terms = dict(pair.split("=") for pair in body.decode().split("&"))
    assert (terms["symbol"], terms["side"], terms["type"]) == ("BTCUSDT", "SELL", "MARKET")
    assert 0.01 <= float(terms["quantity"]) <= 0.05
    assert client.failures == []  # nobody bid: that is the market's answer
