import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from chaoskit.address import Address
from chaoskit.observe import scrape
from chaoskit.observe.scrape import Scraper

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Address]:
    """Serve each connection with `answer` once its first request has come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError):
                await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Address(*server.sockets[0].getsockname())


async def request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def saying(*answers: bytes) -> Answer:
    """Answer one request with each of `answers`, then close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for one in answers:
            await request(reader)
            writer.write(one)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 4\r\n\r\nx 1\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nx \r\n2\r\n1\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nx 1\n",
    ],
)
async def test_a_body_is_read_however_it_is_framed(answer: bytes) -> None:
    async with serving(saying(answer)) as address:
        scraper = Scraper(address, "/metrics")
        assert await scraper.scrape() == "x 1\n"
        scraper.close()


async def test_the_connection_is_kept_and_replaced_when_the_server_has_closed_it() -> None:
    connections = 0

    async def two_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await saying(*[HEAD + b"Content-Length: 4\r\n\r\nx 1\n"] * 2)(reader, writer)

    async with serving(two_answers) as address:
        scraper = Scraper(address, "/metrics")
        assert [await scraper.scrape() for _ in range(5)] == ["x 1\n"] * 5
        scraper.close()
    assert connections == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (HEAD + b"Content-Length: 9\r\n\r\nx 1\n", "ended before the answer did"),
        (HEAD + b"Connection: close\r\nContent-Length: 9\r\n\r\nx 1\n", "ended before the answer did"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP"),
        (b"", "ended before the answer did"),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "the answer is not HTTP"),
    ],
)
async def test_anything_else_is_an_error_that_says_what(answer: bytes, message: str) -> None:
    async with serving(saying(answer)) as address:
        scraper = Scraper(address, "/metrics")
        with pytest.raises(OSError, match=message):
            await scraper.scrape()
        scraper.close()


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "SCRAPE_TIMEOUT_S", 0.1)

    async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silence) as address:
        scraper = Scraper(address, "/metrics")
        with pytest.raises(TimeoutError, match=r"no answer within 0.1s"):
            await scraper.scrape()


async def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "LARGEST_BODY_BYTES", 100)
    async with serving(saying(HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 200)) as address:
        scraper = Scraper(address, "/metrics")
        with pytest.raises(OSError, match="larger than 100 bytes"):
            await scraper.scrape()
