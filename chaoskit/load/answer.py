"""HTTP/1.1 answers: the parsed answer that a flow sees, and the reader that builds it from bytes."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

import httptools

FIRST_ERROR_STATUS: Final = 400
SWITCHING_PROTOCOLS: Final = 101
_SIZES: Final = frozenset({b"content-length", b"transfer-encoding"})  # with one of these a body has a known end


class ExchangeFailed(ConnectionError):
    """A request got no whole answer; `reason` is the word under which the arrival is counted as failed.

    It is a `ConnectionError`, so that a flow can catch it without importing chaoskit.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer:
    """Status, headers and body of one answer. Headers are decoded on first use: most flows never look."""

    __slots__ = ("_headers", "body", "fields", "status")

    def __init__(self, status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.body = body
        self.fields = fields
        self._headers: dict[str, str] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name; those sent several times are joined by a comma."""
        if self._headers is None:
            headers: dict[str, str] = {}
            for raw_name, raw_value in self.fields:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            self._headers = headers
        return self._headers


class _Stage(Enum):
    WAITING = "nothing of the answer has come"
    STARTED = "the answer has begun"
    COMPLETE = "the answer is whole"
    EXCESS = "more came than the answer"


# Attributes of an Enum are slow to look up, and these are asked for with each answer.
_WAITING: Final = _Stage.WAITING
_STARTED: Final = _Stage.STARTED
_COMPLETE: Final = _Stage.COMPLETE
_EXCESS: Final = _Stage.EXCESS


class _Known(NamedTuple):
    """An answer that came in one piece, and whose body has its length in the head."""

    head: bytes
    size: int
    status: int
    fields: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, data: bytes, answer: Answer) -> "_Known | None":
        head = data.removesuffix(answer.body)
        fields = answer.fields
        length = str(len(answer.body)).encode()
        has_length = any(name.lower() == b"content-length" and value == length for name, value in fields)
        return cls(head, len(data), answer.status, fields) if has_length and head.endswith(b"\r\n\r\n") else None


class AnswerReader:
    """Builds one answer after the other from the bytes of one connection (an httptools protocol).

    A server's answers are much alike: one that begins with the very bytes of the last one's head, and is as long,
    needs no parsing.
    """

    __slots__ = ("_body", "_fields", "_head_only", "_known", "_parser", "_stage", "_status", "keep_alive")

    def __init__(self) -> None:
        self._known: _Known | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.keep_alive = True
        self.expect(head_only=False)

    def expect(self, *, head_only: bool) -> None:
        """Make ready for the next answer; `head_only` for the answer to HEAD, which has lengths but no body."""
        self._head_only = head_only
        self._stage = _WAITING
        self._status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    @property
    def started(self) -> bool:
        """Whether any byte of an answer has come since `expect`."""
        return self._stage is not _WAITING

    def feed(self, data: bytes) -> Answer | None:
        """Take bytes as they came; return the answer once it is whole.

        Raises:
            ExchangeFailed: `bad_answer`, it is not HTTP/1.1 or goes on beyond its end.
        """
        known = self._known
        is_first = self._stage is _WAITING and not self._head_only
        if is_first and known is not None and len(data) == known.size and data.startswith(known.head):
            self._stage = _COMPLETE
            return Answer(known.status, known.fields, data[len(known.head) :])
        answer = self._parse(data)
        if is_first and answer is not None and self.keep_alive:
            self._known = _Known.of(data, answer)
        return answer

    def _parse(self, data: bytes) -> Answer | None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._stage is not _COMPLETE:
                reason = "bad_answer"
                raise ExchangeFailed(reason) from error
            self.keep_alive = False  # bytes after an answer with `connection: close`: the answer itself stands
        if self._stage is _COMPLETE:
            return self._answer()
        if self._stage is _EXCESS:
            reason = "bad_answer"
            raise ExchangeFailed(reason)
        self._stage = _STARTED
        return None

    def end(self) -> Answer:
        """Return the answer that ends with the connection.

        Raises:
            ExchangeFailed: `closed`, the answer is not whole.
        """
        self.keep_alive = False
        if self._status == 0 or any(name.lower() in _SIZES for name, _ in self._fields):
            reason = "closed"
            raise ExchangeFailed(reason)
        return self._answer()

    def on_message_begin(self) -> None:
        """Parser's call: an answer begins."""
        if self._stage is _COMPLETE:
            self._stage = _EXCESS

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser's call: one header."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Parser's call: status and headers are whole."""
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != SWITCHING_PROTOCOLS:
            self._fields = []
            return
        self._status = status
        if self._head_only:
            self.keep_alive = self._parser.should_keep_alive()
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body that HEAD never has
            self._stage = _COMPLETE

    def on_body(self, body: bytes) -> None:
        """Parser's call: a piece of the body."""
        if self._head_only:
            self._stage = _EXCESS
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser's call: the answer is whole (an interim one of 1xx is not what is waited for)."""
        if self._status and not self._head_only and self._stage is not _EXCESS:
            self.keep_alive = self._parser.should_keep_alive()
            self._stage = _COMPLETE

    def _answer(self) -> Answer:
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        return Answer(self._status, self._fields, body)
