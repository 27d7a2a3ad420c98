import asyncio
from dataclasses import replace

import pytest

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.faults.contract import Inquiry, Question
from chaoskit.faults.probe import LinkProbe
from chaoskit.plan.tls import PlannedTls
from chaoskit.records import ProbeOutcome, ProbeSample
from tests.faults.support import Protocol, free_address, link, serving, upstream
from tests.faults.upstreams import Handler, silent
from tests.support.tls_server import TlsServer


async def probe(
    address: Address, protocol: Protocol = "http", question: Question = "sign", bound_s: float = 1.0
) -> ProbeSample:
    return await LinkProbe(link("a->b", protocol), address, Inquiry(question, bound_s), Clock.starting_now()).run()


@pytest.mark.parametrize(
    ("protocol", "question", "least_bytes"),
    [
        ("http", "sign", 2000),
        ("http", "volume", 8000),
        ("http", "close", 2000),
        ("postgres", "sign", 1),
        ("postgres", "volume", 8000),
        ("postgres", "close", 20),
        ("redis", "sign", 7),
        ("redis", "volume", 8000),
        ("redis", "close", 5),
        ("text", "sign", 11),
        ("text", "volume", 11),
        ("text", "close", 11),
        ("tcp", "sign", 0),
    ],
)
async def test_a_healthy_link_answers_every_question(protocol: Protocol, question: Question, least_bytes: int) -> None:
    async with upstream(protocol) as address:
        sample = await probe(address, protocol, question)
    assert sample.outcome == "ok"
    assert sample.answer_bytes >= least_bytes
    assert sample.connect_ms is not None
    assert sample.total_ms is not None
    assert (sample.first_byte_ms is None) == (protocol == "tcp")
    assert (sample.close_ms is not None) == (question == "close")


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()  # with the request unread, which makes it a reset


async def _stops_halfway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


async def _speaks_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"220 mail ready\r\n\r\n")


async def _chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    await reader.read()


async def _until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")


@pytest.mark.parametrize(
    ("handle", "outcome"),
    [
        (silent, "timeout"),
        (_closes, "closed"),
        (_resets, "reset"),
        (_stops_halfway, "closed"),
        (_speaks_smtp, "closed"),
        (_chunked, "ok"),
        (_until_the_end, "ok"),
    ],
)
async def test_each_end_of_a_connection_has_its_name(handle: Handler, outcome: ProbeOutcome) -> None:
    async with serving(handle) as address:
        sample = await probe(address, bound_s=0.4)
    assert sample.outcome == outcome


async def test_nobody_listening_is_a_refusal() -> None:
    sample = await probe(free_address())
    assert (sample.outcome, sample.connect_ms, sample.answer_bytes) == ("refused", None, 0)


async def test_a_wrong_answer_is_not_a_sign_of_life() -> None:
    async with upstream("text") as address:
        sample = await probe(address, "redis")
    assert sample.outcome == "wrong_answer"


async def test_a_probe_that_is_cut_tells_how_long_it_met_silence() -> None:
    async with serving(silent) as address:
        one = LinkProbe(link("a->b"), address, Inquiry(bound_s=30), Clock.starting_now())
        one.cut()  # has not begun
        running = asyncio.create_task(one.run())
        done, _ = await asyncio.wait({running}, timeout=0.2)
        assert not done
        one.cut()
        sample = await asyncio.wait_for(running, 5)
        one.cut()  # has ended
    assert sample.outcome == "timeout"
    assert sample.total_ms is not None
    assert 190 <= sample.total_ms < 5000


async def test_a_cut_at_the_moment_of_the_bound_changes_nothing() -> None:
    async with serving(silent) as address:
        one = LinkProbe(link("a->b"), address, Inquiry(bound_s=0.05), Clock.starting_now())
        running = asyncio.create_task(one.run())
        while not (one._limit is not None and one._limit.expired()):  # noqa: ASYNC110 - a moment inside asyncio
            await asyncio.sleep(0)
        one.cut()  # the bound has just cancelled it, and it has not run since
        sample = await asyncio.wait_for(running, 5)
    assert sample.outcome == "timeout"


async def _garbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n")
    writer.write(b"$garbage\r\n")
    await reader.read()


async def test_garbage_where_redis_tells_a_length_is_a_wrong_answer() -> None:
    async with serving(_garbles) as address:
        sample = await probe(address, "redis")
    assert sample.outcome == "wrong_answer"


async def test_a_link_to_an_encrypted_server_is_probed_in_its_language(tls_server: TlsServer) -> None:
    encrypted = replace(link("a->b"), host="shop.test", tls=tls_server.tls)
    sample = await LinkProbe(encrypted, tls_server.address, Inquiry("sign", 2.0), Clock.starting_now()).run()
    assert sample.outcome == "ok"
    assert sample.answer_bytes > 0
    assert tls_server.hosts == ["shop.test"]
    stranger = replace(encrypted, tls=PlannedTls("shop.test"))
    sample = await LinkProbe(stranger, tls_server.address, Inquiry("sign", 2.0), Clock.starting_now()).run()
    assert sample.outcome == "closed"
