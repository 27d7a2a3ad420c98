"""`clients` as a word and as a mapping."""

from typing import Any

import pytest
from pydantic import ValidationError

from chaoskit.scenario.model import Stream


def stream(clients: object, **more: object) -> Stream:
    data: dict[str, Any] = {"request": {"path": "/"}, "rate": "1/s", "clients": clients, **more}
    return Stream.model_validate(data)


def test_the_word_is_the_route() -> None:
    clients = stream("failover").clients
    assert (clients.route, clients.retries, clients.hedge) == ("failover", None, None)


def test_the_naive_client_is_what_nothing_is_said_about() -> None:
    retries = stream({"retries": {}}).clients.retries
    assert retries is not None
    assert (retries.attempts, retries.budget, retries.backoff, retries.retry_after) == (3, None, 0.0, False)
    assert "POST" not in retries.methods


@pytest.mark.parametrize(
    ("clients", "sentence"),
    [
        ("nearest", "must be one of round_robin, pinned, failover, or a mapping with `route`"),
        (
            {"retries": {"on": ["teapot"]}},
            "'teapot' is nothing to retry on; use `status 503`, `status 5xx`, `rpc -32005`, or one of",
        ),
        ({"retries": {"on": ["status 600"]}}, "is nothing to retry on"),
        ({"retries": {"on": ["timeout"]}}, "a retry on `timeout` needs `per_try_timeout`"),
        ({"retries": {"backoff": "2s"}}, "`backoff` is longer than `backoff_max`"),
        ({"retries": {"attempts": 1}}, "greater than or equal to 2"),
        ({"hedge": {}}, "Field required"),
        ({"hedge": {"after": "0s"}}, "no time at all"),
    ],
)
def test_what_makes_no_sense_is_refused(clients: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        stream(clients)
    assert sentence in str(caught.value)


def test_a_locustfile_has_a_client_of_its_own() -> None:
    with pytest.raises(ValidationError, match="have a client of their own"):
        Stream.model_validate({"locustfile": "l.py", "users": 1, "clients": {"hedge": {"after": "30ms"}}})


def test_stages_have_limits_within_the_whole() -> None:
    given = {"request": {"path": "/"}, "rate": "1/s", "timeout": "2s"}
    stream = Stream.model_validate({**given, "timeouts": {"connect": "500ms", "first_byte": "1s"}})
    assert (stream.timeouts.connect, stream.timeouts.first_byte) == (0.5, 1.0)
    with pytest.raises(ValidationError, match=r"`timeouts.first_byte` is longer than the whole `timeout`"):
        Stream.model_validate({**given, "timeouts": {"first_byte": "3s"}})
    with pytest.raises(ValidationError, match="a client of their own"):
        Stream.model_validate({"locustfile": "l.py", "users": 1, "timeouts": {"connect": "1s"}})


def test_a_json_rpc_call_brings_its_own_body() -> None:
    call = {"path": "/", "jsonrpc": {"method": "eth_call", "params": {"a": 1}}}
    assert Stream.model_validate({"request": call, "rate": "1/s"}).request is not None
    with pytest.raises(ValidationError, match="leave `method` and `body` out"):
        Stream.model_validate({"request": {**call, "body": "x"}, "rate": "1/s"})
