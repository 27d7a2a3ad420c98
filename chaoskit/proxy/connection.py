"""One client connection and its upstream connection, joined by a link each way."""

import socket
import struct
from collections.abc import Callable, Sequence

from chaoskit.proxy.link import Link
from chaoskit.proxy.toxic import Direction, Lot, Toxic

_LINGER_NONE = struct.pack("ii", 1, 0)


class Connection:
    """Both sockets and both links. Closes itself when the streams have ended; `on_closed` is called once."""

    __slots__ = ("_client", "_on_closed", "_open", "_upstream", "downlink", "uplink")

    def __init__(
        self,
        client: socket.socket,
        upstream: socket.socket,
        lot: Lot,
        toxics: Sequence[Toxic],
        on_closed: Callable[["Connection"], None],
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._on_closed = on_closed
        self._open = True
        self.uplink = Link(Direction.UPSTREAM, client, upstream, lot, self._link_ended, self.reset)
        self.downlink = Link(Direction.DOWNSTREAM, upstream, client, lot, self._link_ended, self.reset)
        for side in (client, upstream):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.apply(toxics)

    def apply(self, toxics: Sequence[Toxic]) -> None:
        """Make both directions follow the proxy's toxics; returns at once whatever the sockets do."""
        self.uplink.apply(toxics)
        self.downlink.apply(toxics)

    def close(self) -> None:
        """Close both sockets now; what is on its way is dropped."""
        if not self._open:
            return
        self._open = False
        self.uplink.discard()
        self.downlink.discard()
        self._client.close()
        self._upstream.close()
        self._on_closed(self)

    def reset(self) -> None:
        """Close both sockets with RST: at a linger time of 0 the kernel drops what is unsent and says so."""
        for side in (self._client, self._upstream):
            if side.fileno() >= 0:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.close()

    def _link_ended(self, link: Link) -> None:
        # As in Toxiproxy, the end of one direction closes its target for both; the other direction then ends
        # too, after what its own toxics hold has gone out.
        if link is self.uplink:
            other, target = self.downlink, self._upstream
        else:
            other, target = self.uplink, self._client
        other.end_input()
        target.close()
        if self._client.fileno() < 0 and self._upstream.fileno() < 0:
            self.close()
