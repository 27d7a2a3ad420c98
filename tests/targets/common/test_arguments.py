import argparse

import pytest
from service.arguments import address, addresses, duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("200us", 2e-4), ("2ms", 2e-3), ("1.5s", 1.5), ("1m", 60.0), ("72h", 259_200.0), ("0", 0.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "-1s", "1 day", "ms", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a duration; write for example"):
        duration_s(text)


def test_addresses_by_region() -> None:
    assert addresses("us=127.0.0.1:1,eu=[::1]:2") == {"us": ("127.0.0.1", 1), "eu": ("[::1]", 2)}
    assert addresses("db:5432") == {"": ("db", 5432)}


@pytest.mark.parametrize("text", ["localhost", ":1", "host:port"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not host:port"):
        address(text)


def test_a_region_appears_once() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="twice"):
        addresses("us=a:1,us=b:2")
