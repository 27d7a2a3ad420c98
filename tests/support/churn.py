"""Clients that come and go all the time, for tests of what must work while they do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.sockets import connect

CLIENTS = 16


@contextmanager
def churn(listen: str, listener: socket.socket) -> Iterator[None]:
    """Clients that connect, send a little and go, again and again, and the server that takes them."""
    stop = threading.Event()
    port = int(listen.rpartition(":")[2])

    def visit() -> None:
        while not stop.wait(0.002):  # leave the other threads, and the servers, some of the machine
            with suppress(OSError), connect(port) as client:
                client.sendall(b"x" * 100)

    def serve() -> None:
        # Until nobody is left in the backlog: the real server would wait there, with its lock held.
        while True:
            try:
                listener.accept()[0].close()
            except TimeoutError:
                if stop.is_set():
                    return

    listener.settimeout(0.1)
    threads = [threading.Thread(target=visit) for _ in range(CLIENTS)]
    threads.append(threading.Thread(target=serve))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
