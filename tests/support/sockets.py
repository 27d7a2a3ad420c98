"""Both ends of a proxied connection in the hands of one test: no threads, no guesses."""

import os
import random
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

IO_LIMIT_S = 5.0

# Below those that Linux hands out to whoever asks for any port, and drawn: tests run side by side.
_PORTS = range(10_000, 32_000)
_draw = random.Random(os.getpid())


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, and that nobody is given who asks for any."""
    while True:
        port = _draw.choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A listening socket that stands for the upstream server."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listener.settimeout(IO_LIMIT_S)
        yield listener


def connect(port: int) -> socket.socket:
    """A client connection to 127.0.0.1."""
    client = socket.create_connection(("127.0.0.1", port), timeout=IO_LIMIT_S)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def await_listener(port: int) -> None:
    """Wait until something listens on a port of 127.0.0.1. Raises ConnectionRefusedError after 5 s."""
    deadline_s = time.monotonic() + IO_LIMIT_S
    while True:
        try:
            connect(port).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Joined:
    """A client and the upstream server's end of the connection that the proxy made for it."""

    client: socket.socket
    upstream: socket.socket

    def ends(self, stream: str) -> tuple[socket.socket, socket.socket]:
        """(sender, receiver) of a direction."""
        return (self.client, self.upstream) if stream == "upstream" else (self.upstream, self.client)

    def close(self) -> None:
        self.client.close()
        self.upstream.close()


def join(listen: str, listener: socket.socket) -> Joined:
    """Connect through the proxy at `listen` to the server behind it."""
    client = connect(int(listen.rpartition(":")[2]))
    upstream, _ = listener.accept()
    upstream.settimeout(IO_LIMIT_S)
    upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Joined(client, upstream)


def receive_exactly(receiver: socket.socket, count: int) -> bytes:
    """`count` bytes; fewer when the stream ends before."""
    received = bytearray()
    while len(received) < count:
        chunk = receiver.recv(min(count - len(received), 65_536))
        if not chunk:
            break
        received += chunk
    return bytes(received)


def receive_all(receiver: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    return receive_exactly(receiver, 2**62)


def carry_ms(sender: socket.socket, receiver: socket.socket, data: bytes = b"x") -> float:
    """How long `data` takes from one end to the other, in ms."""
    started_s = time.monotonic()
    sender.sendall(data)
    assert receive_exactly(receiver, len(data)) == data
    return (time.monotonic() - started_s) * 1e3


def ends_within_ms(receiver: socket.socket, limit_ms: float) -> bool:
    """Whether the stream ends (or is reset) without data within the limit."""
    receiver.settimeout(limit_ms / 1e3)
    try:
        return receiver.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        receiver.settimeout(IO_LIMIT_S)


def is_silent_ms(receiver: socket.socket, span_ms: float) -> bool:
    """Whether neither data nor an end comes during the span."""
    readable, _, _ = select.select([receiver], [], [], span_ms / 1e3)
    return not readable


def fill(sender: socket.socket, still_ms: float = 60) -> int:
    """Send until nothing more is taken for `still_ms`; how many bytes were taken."""
    sender.setblocking(False)
    block = bytes(256 * 1024)
    taken = 0
    while select.select([], [sender], [], still_ms / 1e3)[1]:
        taken += sender.send(block)
    sender.settimeout(IO_LIMIT_S)
    return taken


def reset(side: socket.socket) -> None:
    """Close with RST."""
    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()
