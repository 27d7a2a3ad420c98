"""Tiny real servers for links to lead to, one per protocol."""

import asyncio
from collections.abc import Awaitable, Callable

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HTTP_BODY = b'{"status":"ok"}' + b" " * 2033


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        while head.startswith(b"GET /flood"):
            writer.write(HTTP_BODY)
            await writer.drain()
        close = b"connection: close" in head.lower()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(HTTP_BODY)).encode() + b"\r\n\r\n" + HTTP_BODY
        writer.write(answer)
        await writer.drain()
        if close:
            return


async def serve_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers an SSLRequest with N, and refuses any start-up message with an error that quotes it."""
    while True:
        length = int.from_bytes(await reader.readexactly(4), "big")
        body = await reader.readexactly(length - 4)
        if body[:4] == bytes.fromhex("04d2162f"):
            writer.write(b"N")
            await writer.drain()
            continue
        text = b"SFATAL\0Minvalid value: " + body[4:].replace(b"\0", b" ") + b"\0\0"
        writer.write(b"E" + (len(text) + 4).to_bytes(4, "big") + text)
        await writer.drain()
        return


async def serve_redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        line = await reader.readline()
        if line == b"PING\r\n":
            writer.write(b"+PONG\r\n")
        elif line == b"QUIT\r\n":
            writer.write(b"+OK\r\n")
            return
        elif line == b"*2\r\n":
            await reader.readuntil(b"ECHO\r\n")
            size = await reader.readline()
            writer.write(size + await reader.readexactly(int(size[1:]) + 2))
        else:
            return
        await writer.drain()


async def serve_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(b"echo " + line)
        await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


SERVERS: dict[str, Handler] = {
    "http": serve_http,
    "postgres": serve_postgres,
    "redis": serve_redis,
    "text": serve_text,
}
