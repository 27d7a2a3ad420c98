import hashlib

import pytest
from exchange.venue import SYMBOLS, account_of, api_key, api_secret, decimal_text
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [
        (1500, 3, "1.500"),
        (-20, 3, "-0.020"),
        (0, 2, "0.00"),
        (7, 0, "7"),
        (-123456, 4, "-12.3456"),
        (5, 1, "0.5"),
    ],
)
def test_decimal_text(units: int, decimals: int, text: str) -> None:
    assert decimal_text(units, decimals) == text


@given(st.integers(), st.integers(1, 12))
def test_decimal_text_keeps_every_digit(units: int, decimals: int) -> None:
    assert int(decimal_text(units, decimals).replace(".", "")) == units


@given(st.integers(0, 9999))
def test_an_api_key_names_its_account(account: int) -> None:
    assert account_of(api_key(account).encode(), 10_000) == account
    assert account_of(api_key(account).encode(), account) is None


@pytest.mark.parametrize("key", [b"", b"account-", b"account-1", b"account-00000x", b"account-0000001", b"user-000001"])
def test_other_keys_name_none(key: bytes) -> None:
    assert account_of(key, 10_000) is None


def test_the_secret_can_be_derived_by_anyone() -> None:
    assert api_secret("account-000042") == hashlib.sha256(b"chaoskit-exchange:account-000042").hexdigest()


def test_one_lot_at_one_tick_is_a_whole_number_of_money_units() -> None:
    assert [symbol.unit_value for symbol in SYMBOLS] == [10_000, 1_000, 10_000]
