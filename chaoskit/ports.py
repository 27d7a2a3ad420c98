"""Free TCP ports on loopback that stay ours until the program they are meant for has bound them."""

import socket
from typing import Final

from chaoskit.address import Address

LOOPBACK: Final = "127.0.0.1"


class PortHolder:
    """Holds ports by sockets that are bound but never listen.

    On Linux a bound, not listening socket keeps the kernel from handing its port to anyone who asks for *any* port, an
    outgoing connection included, yet a server that sets SO_REUSEADDR (as nearly all do) can still bind and listen on
    it. So nothing can slip in between the choice of a port and its use. Meanwhile a client is refused, as it should be.
    """

    def __init__(self) -> None:
        self._sockets: dict[Address, socket.socket] = {}

    def hold(self, host: str = LOOPBACK, port: int = 0) -> Address:
        """Hold a port of this machine's address `host`, and choose a free one where none is named.

        Raises:
            OSError: the port is taken, or the address is not this machine's.
        """
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((host, port))
        except OSError:
            holder.close()
            raise
        address = Address(*holder.getsockname())
        self._sockets[address] = holder
        return address

    def release(self, address: Address) -> None:
        """Let go of one port, for a server that cannot share it; does nothing where it is not held."""
        if holder := self._sockets.pop(address, None):
            holder.close()

    def release_all(self) -> None:
        """Let go of every port."""
        for address in tuple(self._sockets):
            self.release(address)


def free_port(preferred: int, host: str = LOOPBACK) -> int:
    """Return `preferred` where a server may listen at it now, else a port that is free."""
    holder = PortHolder()
    try:
        return holder.hold(host, preferred).port
    except OSError:
        return holder.hold(host).port
    finally:
        holder.release_all()


def is_listening(address: Address, timeout_s: float = 0.2) -> bool:
    """Return whether someone accepts connections at `address`."""
    try:
        with socket.create_connection(address, timeout_s):
            return True
    except OSError:
        return False
