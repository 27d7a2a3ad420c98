import hashlib
import hmac

import pytest
from exchange.failures import Refusal
from exchange.gateway.signing import Signatures, check_time, split_signature
from exchange.venue import api_key, api_secret

PAYLOAD = (
    b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)


def test_the_vendors_test_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
    signature = b"3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
    monkeypatch.setattr("exchange.gateway.signing.api_secret", lambda key: secret)
    checked = Signatures()
    assert checked.account(b"account-000007", PAYLOAD, signature, accounts=10) == 7
    assert checked.account(b"account-000007", PAYLOAD, signature.upper(), accounts=10) == 7
    with pytest.raises(Refusal) as refused:
        checked.account(b"account-000007", PAYLOAD + b"0", signature, accounts=10)
    assert (refused.value.status, refused.value.code) == (400, -1022)


def test_each_account_has_its_own_secret() -> None:
    checked = Signatures()
    for account in (1, 2):
        key = api_key(account)
        signature = hmac.new(api_secret(key).encode(), PAYLOAD, hashlib.sha256).hexdigest().encode()
        assert checked.account(key.encode(), PAYLOAD, signature, accounts=10) == account
    with pytest.raises(Refusal):
        checked.account(api_key(1).encode(), PAYLOAD, signature, accounts=10)


@pytest.mark.parametrize(
    ("key", "code"), [(None, -2014), (b"", -2014), (b"account-000099", -2015), (b"stranger", -2015)]
)
def test_unknown_keys(key: bytes | None, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        Signatures().account(key, PAYLOAD, b"", accounts=10)
    assert (refused.value.status, refused.value.code) == (401, code)


@pytest.mark.parametrize(
    ("query", "body", "payload"),
    [
        (b"a=1&signature=ab", b"", b"a=1"),
        (b"", b"a=1&signature=ab", b"a=1"),
        (b"a=1", b"b=2&signature=ab", b"a=1b=2"),
        (b"a=1&signature=ab&c=3", b"", b"a=1&c=3"),
    ],
)
def test_the_signed_payload_is_query_and_body_without_the_signature(query: bytes, body: bytes, payload: bytes) -> None:
    assert split_signature(query, body) == (payload, b"ab")


@pytest.mark.parametrize(
    ("timestamp", "window", "code"),
    [
        (100_000, 5000, None),
        (95_000, 5000, None),
        (94_999, 5000, -1021),
        (100_999, 5000, None),
        (101_000, 5000, -1021),
        (41_000, 60_000, None),
        (100_000, 60_001, -1131),
        (100_000, 0, -1131),
        ("x", 5000, -1100),
    ],
)
def test_the_time_window(timestamp: int | str, window: int, code: int | None) -> None:
    parameters = {b"timestamp": str(timestamp).encode(), b"recvWindow": str(window).encode()}
    if code is None:
        assert check_time(parameters, 100_000) == int(timestamp) + window
        return
    with pytest.raises(Refusal) as refused:
        check_time(parameters, 100_000)
    assert refused.value.code == code


def test_a_timestamp_and_a_signature_are_needed() -> None:
    with pytest.raises(Refusal, match="timestamp"):
        check_time({}, 1)
    with pytest.raises(Refusal, match="signature"):
        split_signature(b"a=1", b"")
