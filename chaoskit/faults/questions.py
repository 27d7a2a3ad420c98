"""What a probe says on a link, and what it takes for an answer, by protocol.

Each protocol is asked for the cheapest sign of life it has, none of which reads or changes the target's data:
HTTP by a GET, PostgreSQL by its SSLRequest, Redis by PING. For the kinds of fault that show only in a longer answer
PostgreSQL is sent a start-up message that it must refuse and quote, and Redis is asked for an ECHO.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from chaoskit.faults.contract import Question
from chaoskit.plan.model import Probe

ANSWER_BYTES: Final = 8000
"""How long a long answer is, where the protocol lets us choose. PostgreSQL takes start-up messages of up to 10,000."""
HTTP_ROUNDS: Final = 8
"""How many requests are made, one after the other on one connection, to gather a long answer over HTTP."""
SSL_REQUEST: Final = bytes.fromhex("00000008 04d2162f")
"""PostgreSQL frontend/backend protocol, message formats: SSLRequest."""
PROTOCOL_3: Final = (196608).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is sent, when the answer is whole, and whether it is an answer of that protocol at all.

    Sent up to `rounds` times on one connection until `enough_bytes` have come. `ends` says that the server closes
    the connection after its answer; `await_close` that the probe waits for that, `half_close` that it first has to
    give the server a reason to close.
    """

    send: bytes
    whole: Callable[[bytes], bool]
    valid: Callable[[bytes], bool]
    rounds: int = 1
    enough_bytes: int = 1
    ends: bool = False
    await_close: bool = False
    half_close: bool = False


def exchange_for(probe: Probe, question: Question, host: str) -> Exchange | None:
    """Return what to say on a link, or None where it can only be connected to (`tcp`)."""
    speak = _PROTOCOLS.get(probe.protocol)
    return speak(probe, question, host) if speak is not None else None


def _http(probe: Probe, question: Question, host: str) -> Exchange:
    many = question == "volume"
    connection = "keep-alive" if many else "close"
    request = f"GET {probe.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: chaoskit-probe\r\n"
    return Exchange(
        f"{request}Connection: {connection}\r\n\r\n".encode("ascii"),
        _whole_http,
        lambda answer: answer.startswith(b"HTTP/1."),
        rounds=HTTP_ROUNDS if many else 1,
        enough_bytes=ANSWER_BYTES if many else 1,
        ends=not many,
        await_close=question == "close",
    )


def _whole_http(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    headers = {
        name.strip().lower(): value.strip().lower()
        for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if b"chunked" in headers.get(b"transfer-encoding", b""):
        return body.endswith(b"0\r\n\r\n")
    length = headers.get(b"content-length", b"")
    return length.isdigit() and len(body) >= int(length)


def _postgres(_probe: Probe, question: Question, _host: str) -> Exchange:
    if question == "sign":
        return Exchange(SSL_REQUEST, lambda answer: len(answer) >= 1, lambda answer: answer[:1] in {b"N", b"S", b"E"})
    # `replication` takes a boolean; the refusal quotes what it was given, before any authentication.
    value = b"x" * (ANSWER_BYTES if question == "volume" else 1)
    body = PROTOCOL_3 + b"user\0chaoskit_probe\0replication\0" + value + b"\0\0"
    send = (len(body) + 4).to_bytes(4, "big") + body
    return Exchange(
        send,
        _whole_postgres,
        lambda answer: answer[:1] in {b"E", b"R"},
        ends=True,
        await_close=question == "close",
    )


def _whole_postgres(answer: bytes) -> bool:
    return len(answer) >= 5 and len(answer) >= 1 + int.from_bytes(answer[1:5], "big")


_BULK_STRING: Final = re.compile(rb"\$(\d{1,9})\r\n")


def _redis(_probe: Probe, question: Question, _host: str) -> Exchange:
    def valid(answer: bytes) -> bool:
        return answer[:1] in {b"+", b"-"} or _BULK_STRING.match(answer) is not None

    def whole(answer: bytes) -> bool:
        head, line_end, body = answer.partition(b"\r\n")
        bulk = _BULK_STRING.match(head + line_end)
        return bool(line_end) and (bulk is None or len(body) >= int(bulk[1]) + 2)

    if question == "volume":
        size = str(ANSWER_BYTES).encode("ascii")
        send = b"*2\r\n$4\r\nECHO\r\n$" + size + b"\r\n" + b"x" * ANSWER_BYTES + b"\r\n"
        return Exchange(send, whole, valid)
    if question == "close":
        return Exchange(b"QUIT\r\n", whole, valid, ends=True, await_close=True)
    return Exchange(b"PING\r\n", whole, valid)


def _text(probe: Probe, question: Question, _host: str) -> Exchange:
    wanted = probe.expect.encode()
    return Exchange(
        probe.send.encode(),
        lambda answer: len(answer) >= max(1, len(wanted)),
        lambda answer: answer.startswith(wanted),
        await_close=question == "close",
        half_close=question == "close",
    )


_PROTOCOLS: Final[Mapping[str, Callable[[Probe, Question, str], Exchange]]] = {
    "http": _http,
    "postgres": _postgres,
    "redis": _redis,
    "text": _text,
}
