"""Addresses are read and written as HOST:PORT."""

import pytest

from chaoskit.address import Address


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:8080", "db:5432"])
def test_round_trip(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["", "host", "host:", ":80", "host:0", "host:65536", "host:http", "host:8²"])
def test_bad_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Address.parse(text)
