"""One WebSocket connection: handshake, SUBSCRIBE and its kin, pings, and an end for those who are too slow.

The protocol is `websockets`' without I/O; messages of streams come as whole frames that all subscribers share, and go
past it. Compression is not offered: it would cost every subscriber what the shared frame saves.
"""

import asyncio
import logging
import socket
from collections.abc import Iterator
from http import HTTPStatus
from time import monotonic
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from exchange.gateway.feeds import Feeds

LOG = logging.getLogger(__name__)
LOG.setLevel(logging.WARNING)  # the protocol tells of each connection that opens and closes
MOST_STREAMS = 1024
MOST_MESSAGES_PER_S = 10
LARGEST_MESSAGE_BYTES = 64 * 1024
PING_EVERY_S = 180.0
PONG_WITHIN_S = 600.0
LIFE_S = 24 * 3600.0
CATEGORIES = frozenset({"public", "market", "private"})
WEBSOCKET_PATHS = frozenset({"ws", "stream"})


class ServerState(Protocol):
    """What the HTTP server keeps of its connections."""

    connections: set[Any]


class BadMessage(Exception):
    """What a client sent makes no sense; `code` is the venue's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class StreamConnection(asyncio.Protocol):
    """Takes a connection over from the HTTP server, beginning with the request that asks for WebSocket."""

    def __init__(self, feeds: Feeds, server: ServerState) -> None:
        self.combined = False
        self._feeds = feeds
        self._server = server
        self._protocol = ServerProtocol(max_size=LARGEST_MESSAGE_BYTES, logger=LOG)
        self._transport: asyncio.Transport | None = None
        self._names: dict[str, None] = {}
        self._parts: list[bytes] = []
        self._began_s = self._heard_s = self._pinged_s = self._second_s = monotonic()
        self._messages = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)
        kernel = transport.get_extra_info("socket")
        if kernel is not None:  # what the kernel holds back would come on top of the buffer, megabytes of it
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._feeds.limits.buffer_bytes)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Listen no more."""
        self._transport = None
        self._server.connections.discard(self)
        self._feeds.listeners.discard(self)
        for name in self._names:
            self._feeds.hub.unsubscribe(self, name)
        self._names.clear()

    def data_received(self, data: bytes) -> None:
        """Take up the handshake, and then messages."""
        self._heard_s = monotonic()
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(event.data))
                if event.fin:
                    text, self._parts = b"".join(self._parts), []
                    self._message(text)
        self._flush()

    def push(self, frame: bytes) -> None:
        """Send one whole frame; a subscriber that is too far behind is dropped instead."""
        transport = self._transport
        if transport is None or self._protocol.state is not State.OPEN:
            return
        if transport.get_write_buffer_size() > self._feeds.limits.buffer_bytes:
            self._drop("slow")
        else:
            transport.write(frame)

    def look_after(self) -> None:
        """Ping it, or end it where it does not answer or is too old."""
        now_s = monotonic()
        if now_s - self._heard_s > PONG_WITHIN_S:
            self._drop("silent")
        elif now_s - self._began_s > LIFE_S:
            self.shutdown()
        elif now_s - self._pinged_s > PING_EVERY_S and self._protocol.state is State.OPEN:
            self._pinged_s = now_s
            self._protocol.send_ping(b"")
            self._flush()

    def shutdown(self) -> None:
        """Say good-bye; the HTTP server calls this when it stops."""
        self._close(CloseCode.GOING_AWAY, "")

    def _shake_hands(self, request: Request) -> None:
        response = self._protocol.accept(request)
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            url = urlsplit(request.path)
            refusal = self._refusal(url.path, url.query)
            if refusal is not None:
                response = self._protocol.reject(*refusal)
        self._protocol.send_response(response)
        if self._protocol.state is State.OPEN:
            self._feeds.listeners.add(self)
            for name in self._names:
                self._feeds.hub.subscribe(self, name)

    def _refusal(self, path: str, query: str) -> tuple[HTTPStatus, str] | None:
        """Note what the address asks for; returns why that cannot be, or None."""
        parts = [unquote(part) for part in path.split("/") if part]
        if parts and parts[0] in CATEGORIES:
            parts.pop(0)
        if not parts or parts[0] not in WEBSOCKET_PATHS:
            return HTTPStatus.NOT_FOUND, '{"code":-1000,"msg":"Streams are at /ws and /stream."}\n'
        if len(self._feeds.listeners) >= self._feeds.limits.connections:
            return HTTPStatus.TOO_MANY_REQUESTS, '{"code":-1003,"msg":"Too many connections."}\n'
        self.combined = parts[0] == "stream"
        for name in _named(parts[1:], query):
            if not self._feeds.exists(name):
                return HTTPStatus.BAD_REQUEST, '{"code":-1125,"msg":"No such stream or listenKey."}\n'
            self._names[name] = None
        return None

    def _message(self, text: bytes) -> None:
        if self._heard_s - self._second_s >= 1:
            self._second_s, self._messages = self._heard_s, 0
        self._messages += 1
        if self._messages > MOST_MESSAGES_PER_S:
            self._feeds.dropped["flooding"] += 1
            self._close(CloseCode.POLICY_VIOLATION, "Too many requests")
            return
        number: object = None
        try:
            request = _request(text)
            number = request.get("id")
            answer: dict[str, object] = {"result": self._carry_out(request), "id": number}
        except BadMessage as problem:
            answer = {"error": {"code": problem.code, "msg": str(problem)}, "id": number}
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(orjson.dumps(answer))

    def _carry_out(self, request: dict[str, Any]) -> object:
        method, names = request.get("method"), request.get("params", [])
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._names)
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            raise BadMessage(2, "Invalid request: method is SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadMessage(1, "Invalid value type: params is a list of names of streams")
        if method == "UNSUBSCRIBE":
            for name in names:
                self._names.pop(name, None)
                self._feeds.hub.unsubscribe(self, name)
            return None
        if unknown := [name for name in names if not self._feeds.exists(name)]:
            raise BadMessage(2, f"Invalid request: no stream {unknown[0][:80]}")
        if len(self._names | dict.fromkeys(names)) > MOST_STREAMS:
            raise BadMessage(4, f"Too many subscriptions: a connection has at most {MOST_STREAMS}")
        for name in names:
            self._names[name] = None
            self._feeds.hub.subscribe(self, name)
        return None

    def _close(self, code: CloseCode, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
        if self._transport is not None:
            self._transport.close()

    def _drop(self, reason: str) -> None:
        self._feeds.dropped[reason] += 1
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


def _named(parts: list[str], query: str) -> Iterator[str]:
    """The streams that an address names; `/ws/3`, as ccxt numbers its connections, names none."""
    parameters = parse_qs(query)
    for joined in parameters.get("streams", []):
        yield from filter(None, joined.split("/"))
    yield from parameters.get("listenKey", [])
    yield from (part for part in parts if not part.isdigit())


def _request(text: bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage(3, f"Invalid JSON: {error}") from error
    if not isinstance(request, dict):
        raise BadMessage(1, "Invalid value type: a request is an object")
    return request
