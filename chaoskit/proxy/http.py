"""The HTTP/1.1 of the control API: httptools reads, one task a connection answers. Everything is bounded."""

import asyncio
import email.utils
import http
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

import httptools

_log = logging.getLogger(__name__)

_BODY_LIMIT_BYTES = 1024 * 1024
_HEAD_LIMIT_BYTES = 64 * 1024
_READ_LIMIT_S = 15.0
_IDLE_LIMIT_S = 60.0

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is split at slashes, each segment unquoted, header names are lower case."""

    method: str
    path: tuple[str, ...]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; without a content type it has no body."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())


Handler = Callable[[Request], Awaitable[Response]]


def plain_error(status: int, message: str) -> Response:
    """An error as Go's `http.Error` writes it: plain text, whatever the text is."""
    return Response(status, message.encode() + b"\n", TEXT, (("X-Content-Type-Options", "nosniff"),))


class ControlProtocol(asyncio.Protocol):
    """One client of the control API: keep-alive, requests answered one after the other.

    While connected it is in `clients`, so that the server can close what is idle when it stops.
    """

    def __init__(self, handler: Handler, clients: "set[ControlProtocol]") -> None:
        self._handler = handler
        self._clients = clients
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._begin_request()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._clients.add(self)
        self._set_deadline(_READ_LIMIT_S)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client has gone; a request that is being answered runs to its end."""
        self._clear_deadline()
        self._clients.discard(self)
        self._transport = None

    def close(self) -> None:
        """Disconnect the client; an answer on its way is still sent."""
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_LIMIT_BYTES + _BODY_LIMIT_BYTES:
                self._refuse(431)
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400)
        except httptools.HttpParserError:
            self._refuse(self._refused_status)

    # The parser calls these.

    def on_url(self, url: bytes) -> None:
        """Part of the request line."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > _HEAD_LIMIT_BYTES:
            self._refused_status = 431
            raise ValueError("the request's head is too large")
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The body begins."""
        self._in_body = True
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Part of the body."""
        self._body += body
        if len(self._body) > _BODY_LIMIT_BYTES:
            self._refused_status = 413
            raise ValueError("the request's body is too large")

    def on_message_complete(self) -> None:
        """The request is whole."""
        path = self._url.partition(b"?")[0].decode("latin-1")
        segments = tuple(unquote(segment) for segment in path.removeprefix("/").split("/"))
        request = Request(self._parser.get_method().decode(), segments, self._headers, bytes(self._body))
        previous = self._answering
        keep_alive = self._parser.should_keep_alive()
        self._clear_deadline()
        self._answering = asyncio.ensure_future(self._answer(request, previous, keep_alive=keep_alive))
        if self._transport:
            self._transport.pause_reading()
        self._begin_request()

    def _begin_request(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._head_bytes = 0
        self._body = bytearray()
        self._in_body = False
        self._refused_status = 400

    async def _answer(self, request: Request, previous: "asyncio.Task[None] | None", *, keep_alive: bool) -> None:
        if previous:
            await previous
        try:
            response = await self._handler(request)
        except Exception:  # noqa: BLE001 - whatever the defect, the client gets an answer and the log the trace
            _log.exception("%s /%s failed", request.method, "/".join(request.path))
            response = plain_error(500, "internal error; the server's log says more")
        if self._transport is None:
            return
        self._transport.write(_serialize(response, head_only=request.method == "HEAD", keep_alive=keep_alive))
        if keep_alive:
            self._set_deadline(_IDLE_LIMIT_S)
            self._transport.resume_reading()
        else:
            self._transport.close()

    def _refuse(self, status: int) -> None:
        if self._transport and not self._transport.is_closing():
            reason = http.HTTPStatus(status).phrase
            self._transport.write(_serialize(plain_error(status, f"{status} {reason}"), keep_alive=False))
            self._transport.close()

    def _set_deadline(self, delay_s: float) -> None:
        self._clear_deadline()
        self._deadline = asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _clear_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        if self._transport:
            self._transport.abort()


def _serialize(response: Response, *, head_only: bool = False, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {http.HTTPStatus(response.status).phrase}"]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    lines.extend(f"{name}: {value}" for name, value in response.headers)
    lines.append(f"Date: {email.utils.formatdate(usegmt=True)}")
    if response.status != http.HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(response.body)}")
    if not keep_alive:
        lines.append("Connection: close")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1") + (b"" if head_only else response.body)
