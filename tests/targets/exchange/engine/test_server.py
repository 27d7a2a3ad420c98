import asyncio
from contextlib import suppress

from tests.support.exchange import RunningExchange


async def test_a_plain_probe_gets_pong_and_nothing_else(exchange: RunningExchange) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.components["engine"].port)
    for _ in range(3):
        writer.write(b"ping\n")
        assert await reader.readline() == b"pong\n"
    writer.close()


async def test_a_line_in_pieces_is_one_line(exchange: RunningExchange) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.components["engine"].port)
    for piece in (b'7 ["op', b'en",1,nu', b"ll]\n"):
        writer.write(piece)
        await writer.drain()
    assert await reader.readline() == b"7 200 []\n"
    writer.close()


async def test_garbage_closes_the_connection_and_nothing_more(exchange: RunningExchange) -> None:
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"1 {}\n", b"1 5\n", b"\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.components["engine"].port)
        writer.write(garbage)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
    await test_a_plain_probe_gets_pong_and_nothing_else(exchange)
