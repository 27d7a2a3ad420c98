"""Links over real socket pairs, driven by the test's own event loop."""

import asyncio
import socket
from dataclasses import dataclass, field

from chaoskit.proxy.link import Link
from chaoskit.proxy.toxic import Direction, Lot


@dataclass
class LinkRig:
    """A link with the test at both of its ends."""

    sender: socket.socket
    source: socket.socket
    target: socket.socket
    receiver: socket.socket
    ended: list[Link] = field(default_factory=list)
    some_end: asyncio.Event = field(default_factory=asyncio.Event)
    resets: int = 0

    def link(self) -> Link:
        return Link(Direction.UPSTREAM, self.source, self.target, Lot(1, "web", 1), self._end, self._reset)

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sender, data)

    async def receive(self, count: int) -> bytes:
        """Exactly `count` bytes, or fewer when the stream ends."""
        received = b""
        while len(received) < count:
            chunk = await asyncio.get_running_loop().sock_recv(self.receiver, count - len(received))
            if not chunk:
                break
            received += chunk
        return received

    async def end(self) -> Link:
        """Wait until a link has ended."""
        await asyncio.wait_for(self.some_end.wait(), 2)
        return self.ended[-1]

    def _end(self, link: Link) -> None:
        self.ended.append(link)
        self.some_end.set()

    def _reset(self) -> None:
        self.resets += 1
