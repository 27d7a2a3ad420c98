"""An HTTPS server on loopback, with a certificate of an authority that only its tests believe."""

import asyncio
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from chaoskit.address import Address
from chaoskit.plan.tls import PlannedTls

NAME = "shop.test"
LARGE = b"x" * 3_000_000


class TlsServer:
    """Answers every GET, in a thread of its own; `hosts` are those that were asked for, `tls` is how to reach it."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.authorities = authority.cert_pem.bytes().decode("ascii")
        self.tls = PlannedTls(NAME, self.authorities)
        self.hosts: list[str] = []
        self.connections = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(NAME).configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._serving.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        starting = asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._context)
        server = self._loop.run_until_complete(starting)
        self.address = Address(*server.sockets[0].getsockname())
        self._serving.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head.splitlines()}
                self.hosts.append(lines["host"])
                await reader.readexactly(int(lines.get("content-length", 0)))
                body = LARGE if "/large" in head else b"ok"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()


@pytest.fixture
def tls_server() -> Iterator[TlsServer]:
    server = TlsServer()
    yield server
    server.stop()
