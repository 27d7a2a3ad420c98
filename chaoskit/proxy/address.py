"""Addresses as Toxiproxy writes them: `host:port`, with an IPv6 host in brackets."""

import asyncio
import ipaddress
import socket

from chaoskit.address import Address

_PORT_MAX = 65_535

SocketAddress = tuple[socket.AddressFamily, tuple[str, int]]
"""Family and (numeric host, port), ready for `socket.bind` or `socket.connect`."""


def parse(text: str) -> Address:
    """Read `host:port` or `[ipv6]:port`, where the host may be empty (every interface) and the port 0 (any free one).

    Raises ValueError, worded as Toxiproxy words it.
    """
    host, colon, port_text = text.rpartition(":")
    if not colon or host.endswith(":"):
        raise ValueError(f"address {text}: missing port in address")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"address {text}: too many colons in address")
    if not (port_text.isascii() and port_text.isdigit()) or int(port_text) > _PORT_MAX:
        raise ValueError(f"address {port_text}: invalid port")
    return Address(host, int(port_text))


async def resolve(address: Address) -> list[SocketAddress]:
    """Every socket address of the host, the preferred first. Raises OSError when there is none."""
    if not address.host:
        wildcard = (socket.AF_INET6, "::") if socket.has_dualstack_ipv6() else (socket.AF_INET, "0.0.0.0")  # noqa: S104
        return [(wildcard[0], (wildcard[1], address.port))]
    try:
        numeric = ipaddress.ip_address(address.host)
    except ValueError:
        return await _look_up(address)
    family = socket.AF_INET if numeric.version == 4 else socket.AF_INET6
    return [(family, (address.host, address.port))]


async def _look_up(address: Address) -> list[SocketAddress]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except socket.gaierror as error:
        raise OSError(f"lookup {address.host}: no such host") from error
    # IPv4 first, as Toxiproxy does: `localhost` is then shown as 127.0.0.1.
    found.sort(key=lambda entry: entry[0] is not socket.AF_INET)
    return [(entry[0], (str(entry[4][0]), int(entry[4][1]))) for entry in found]


def listen_on(family: socket.AddressFamily, place: tuple[str, int]) -> socket.socket:
    """A non-blocking listening socket; an IPv6 wildcard also takes IPv4.

    Raises OSError, worded as Toxiproxy words it.
    """
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(place[0] != "::"))
        listener.bind(place)
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise OSError(error.errno, f"listen tcp {Address(*place)}: bind: {reason}") from error
    listener.setblocking(False)
    return listener


def bound_address(listener: socket.socket) -> Address:
    """Where a socket listens in fact."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)
