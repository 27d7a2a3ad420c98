import socket

import pytest

from chaoskit.address import Address
from chaoskit.proxy.address import bound_address, listen_on, parse, resolve


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("localhost:0", "localhost", 0),
        (":8080", "", 8080),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_parse_and_print(text: str, host: str, port: int) -> None:
    address = parse(text)
    assert (address.host, address.port) == (host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("garbage", "address garbage: missing port in address"),
        ("::1", "address ::1: missing port in address"),
        ("::1:80", "address ::1:80: too many colons in address"),
        ("host:", "address : invalid port"),
        ("host:99999", "address 99999: invalid port"),
        ("host:-1", "address -1: invalid port"),
        ("host:8²", "address 8²: invalid port"),
    ],
)
def test_parse_refuses(text: str, what: str) -> None:
    with pytest.raises(ValueError, match="address") as caught:
        parse(text)
    assert str(caught.value) == what


@pytest.mark.parametrize(
    ("address", "family", "host"),
    [
        (Address("127.0.0.1", 1), socket.AF_INET, "127.0.0.1"),
        (Address("::1", 1), socket.AF_INET6, "::1"),
        (Address("localhost", 1), socket.AF_INET, "127.0.0.1"),
    ],
)
async def test_resolve(address: Address, family: socket.AddressFamily, host: str) -> None:
    assert (await resolve(address))[0] == (family, (host, 1))


async def test_resolve_of_an_unknown_host() -> None:
    with pytest.raises(OSError, match=r"lookup no\.such\.host\.invalid: no such host"):
        await resolve(Address("no.such.host.invalid", 1))


async def test_every_interface_takes_ipv4() -> None:
    (family, place), *_ = await resolve(Address("", 0))
    with listen_on(family, place) as listener:
        port = bound_address(listener).port
        socket.create_connection(("127.0.0.1", port)).close()


def test_listen_on_says_what_is_in_use() -> None:
    with listen_on(socket.AF_INET, ("127.0.0.1", 0)) as taken:
        place = ("127.0.0.1", bound_address(taken).port)
        with pytest.raises(OSError, match=f"listen tcp 127.0.0.1:{place[1]}: bind: address already in use"):
            listen_on(socket.AF_INET, place)
