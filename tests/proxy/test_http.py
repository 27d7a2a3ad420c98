"""The control API's HTTP, spoken to by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from chaoskit.proxy import http
from chaoskit.proxy.http import ControlProtocol, Request, Response


async def answer(request: Request) -> Response:
    """Says what it understood; fails when asked to."""
    if request.path == ("fail",):
        raise LookupError("a defect")
    text = f"{request.method} {'|'.join(request.path)} {len(request.body)}"
    return Response(200, text.encode(), http.TEXT)


Dialogue = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def dialogue() -> AsyncIterator[Dialogue]:
    clients: set[ControlProtocol] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ControlProtocol(answer, clients), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionResetError):  # a refused client's body was not read to its end
            await writer.wait_closed()
        server.close()
        for client in list(clients):
            client.close()
        await server.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
    return int(head.split()[1]), await reader.readexactly(length)


async def test_requests_follow_each_other_on_one_connection(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    for path in (b"/a", b"/b?x=1"):
        writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        status, body = await read_answer(reader)
        assert (status, body) == (200, b"GET " + path[1:2] + b" 0")


async def test_requests_sent_at_once_are_answered_in_order(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(5)))
    assert [(await read_answer(reader))[1] for _ in range(5)] == [b"GET %d 0" % number for number in range(5)]


async def test_a_body_in_pieces(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"POST /a%20b/c HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc")
    await writer.drain()
    writer.write(b"def")
    assert await read_answer(reader) == (200, b"POST a b|c 6")


async def test_a_chunked_body(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert await read_answer(reader) == (200, b"POST a 3")


async def test_expect_continue(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"POST /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"x")
    assert await read_answer(reader) == (200, b"POST a 1")


async def test_connection_close_and_http_1_0(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"GET /a HTTP/1.0\r\n\r\n")
    assert await read_answer(reader) == (200, b"GET a 0")
    assert await reader.read() == b""


async def test_head_has_no_body(dialogue: Dialogue) -> None:
    reader, writer = dialogue
    writer.write(b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n")
    text = await reader.read()
    assert b"Content-Length: 8" in text
    assert text.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", 400, id="not HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431, id="head too large"),
        pytest.param(
            b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + b"a" * 1_100_000, 413, id="body too large"
        ),
    ],
)
async def test_refused(dialogue: Dialogue, request_bytes: bytes, status: int) -> None:
    reader, writer = dialogue
    writer.write(request_bytes)
    assert (await read_answer(reader))[0] == status


async def test_a_defect_is_500_and_the_connection_lives(dialogue: Dialogue, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = dialogue
    writer.write(b"GET /fail HTTP/1.1\r\n\r\n")
    assert await read_answer(reader) == (500, b"internal error; the server's log says more\n")
    assert "a defect" in caplog.text
    writer.write(b"GET /a HTTP/1.1\r\n\r\n")
    assert (await read_answer(reader))[0] == 200


async def test_a_silent_client_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_READ_LIMIT_S", 0.01)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ControlProtocol(answer, set()), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
