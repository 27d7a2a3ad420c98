"""One WebSocket (RFC 6455) as seen by its client: bytes in, whole messages out. It neither waits nor sends.

The protocol itself is that of the `websockets` library. No extension is offered, so messages come uncompressed: what
unpacking costs would be the generator's time, and no server must compress.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from chaoskit.load.answer import Answer, ExchangeFailed

MOST_BYTES: Final = 16 * 1024 * 1024
"""A longer message ends the connection (close code 1009): a subscriber's memory is bounded."""
_NORMAL: Final = 1000
_ABNORMAL: Final = 1006  # of a connection that ended without a close frame (RFC 6455, 7.1.5)


class WebSocket:
    """The client's side of one connection. `answer` is that to the handshake, None until it has come."""

    __slots__ = ("_parts", "_protocol", "answer")

    def __init__(self, path: str, host_line: bytes, headers: Mapping[str, str], protocols: Sequence[str]) -> None:
        host = host_line.decode("latin-1").partition(":")[2].strip()
        uri = WebSocketURI(secure=False, host="localhost", port=80, path=path, query="")
        offered = [Subprotocol(protocol) for protocol in protocols]
        self._protocol = ClientProtocol(uri, subprotocols=offered or None, max_size=MOST_BYTES)
        self._parts: list[bytes] = []
        self.answer: Answer | None = None
        request = self._protocol.connect()
        del request.headers["Host"]
        request.headers["Host"] = host
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)

    @property
    def closed(self) -> str | None:
        """Why it is over: `closed 1001` by the other side's close code; None while it stands."""
        protocol = self._protocol
        if protocol.close_rcvd is not None:
            return f"closed {protocol.close_rcvd.code}"
        if protocol.parser_exc is None and protocol.state is not State.CLOSED:
            return None
        sent = protocol.close_sent
        return f"closed {_ABNORMAL if sent is None or isinstance(protocol.parser_exc, EOFError) else sent.code}"

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes as they came (none: the connection has ended) and return the messages that are whole now.

        Raises:
            ExchangeFailed: `closed` or `bad_answer` where the handshake gets no answer, or one that is none.
        """
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        messages: list[bytes] = []
        for event in protocol.events_received():
            if isinstance(event, Response):
                fields = [
                    (name.encode(), value.encode("latin-1", "replace")) for name, value in event.headers.raw_items()
                ]
                self.answer = Answer(event.status_code, fields, bytes(event.body or b""))
            elif isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                if event.fin and not self._parts:
                    messages.append(bytes(event.data))
                    continue
                self._parts.append(bytes(event.data))
                if event.fin:
                    messages.append(b"".join(self._parts))
                    self._parts = []
        wrong = protocol.handshake_exc
        if wrong is not None and not (isinstance(wrong, InvalidStatus) and self.answer is not None):
            reason = "bad_answer" if data else "closed"
            raise ExchangeFailed(reason) from wrong
        return messages

    def say(self, text: str) -> None:
        """Send `text` as a message."""
        self._protocol.send_text(text.encode())

    def leave(self) -> None:
        """Begin to close: a normal end."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(_NORMAL)

    def to_send(self) -> bytes:
        """Return the bytes that are to go out now: what was said, and answers to pings."""
        return b"".join(self._protocol.data_to_send())
