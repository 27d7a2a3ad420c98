"""An HTTP server that misbehaves on request."""

import asyncio
import socket
import struct
import threading
import time

from chaoskit.address import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nx-twice: b\r\n\r\nok"


def _json(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


PLAIN_ANSWERS = {
    "/rpc": _json(b'{"jsonrpc":"2.0","id":1,"result":"0x10"}'),
    "/rpc-error": _json(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit exceeded"}}'),
    "/rpc-word": _json(b'{"jsonrpc":"2.0","id":1,"result":"no \\"error\\" here"}'),
    "/rpc-half": _json(b'{"jsonrpc":"2.0","id":1}'),
    "/rpc-batch": _json(b'[{"id":1,"result":1},{"id":2,"error":{"code":3}}]'),
    "/coded": _json(b'{"code":-2019,"msg":"Margin is insufficient."}', b"400 Bad Request"),
    "/ok": OK,
    "/503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy",
    "/503-after-1s": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "/garbage": b"SSH-2.0-OpenSSH_9.9\r\n",
    "/excess": OK + OK,
}
LAST_ANSWERS = {  # the server closes after these
    "/close": b"",
    "/close-header": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "/to-the-end": b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "/cut-head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


class _Connection(asyncio.Protocol):
    def __init__(self, server: "MisbehavingServer") -> None:
        self._server = server
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._server.transports.append(transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
        length = sum(lengths)
        if not end or len(rest) < length:
            return
        self._data = rest[length:]
        self._server.bodies.append(rest[:length])
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        self._server.paths.append(path)
        once = self._server.once
        self._answer(method, once.pop(0) if once else self._server.always or path)

    def _answer(self, method: str, path: str) -> None:
        assert self._transport is not None
        if path in PLAIN_ANSWERS:
            self._transport.write(OK[: OK.index(b"ok")] if method == "HEAD" else PLAIN_ANSWERS[path])
        elif path in LAST_ANSWERS:
            self._transport.write(LAST_ANSWERS[path])
            self._transport.close()
        elif path == "/reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif path == "/byte-by-byte":
            self._server.slow_answers.append(asyncio.ensure_future(self._slowly()))
        elif path == "/large":
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
        elif path in {"/half", "/half-and-half"}:
            self._transport.write(OK[:-2])
            if path == "/half-and-half":
                asyncio.get_running_loop().call_later(0.3, self._transport.write, OK[-2:])
        elif path == "/slow":
            asyncio.get_running_loop().call_later(0.2, self._transport.write, OK)
        elif path == "/slow-close":
            asyncio.get_running_loop().call_later(0.1, self._transport.close)
        elif path == "/once-per-connection":
            self._transport.write(OK)
            asyncio.get_running_loop().call_later(0.05, self._transport.close)

    async def _slowly(self) -> None:
        assert self._transport is not None
        for position in range(len(OK)):
            self._transport.write(OK[position : position + 1])
            await asyncio.sleep(0)


class MisbehavingServer:
    """Answers each path in its own way, in a thread of its own; a path that it does not know is never answered."""

    def __init__(self) -> None:
        self.always: str | None = None  # answer every path like this one
        self.once: list[str] = []  # before that: answer the next requests like these, whatever their path
        self.connections = 0
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.transports: list[asyncio.Transport] = []
        self.slow_answers: list[asyncio.Future[None]] = []
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = Address("127.0.0.1", self._socket.getsockname()[1])
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._serving.wait()

    def freeze(self, seconds: float) -> None:
        """Stop doing anything at all for so long, from now on; returns at once."""
        self._loop.call_soon_threadsafe(time.sleep, seconds)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        server = self._loop.run_until_complete(self._loop.create_server(lambda: _Connection(self), sock=self._socket))
        self._serving.set()
        self._loop.run_forever()
        server.close()
        for transport in self.transports:
            transport.abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()
