"""A server that misbehaves on request, plans in one line, and a whole play on loopback."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.codec import encode
from chaoskit.plan.model import (
    GeneratorPlan,
    HttpRequest,
    Plan,
    PlannedFlow,
    PlannedLink,
    PlannedStream,
    Probe,
    Segment,
)
from chaoskit.records import History

ENTRY = "client->web"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nx-twice: b\r\n\r\nok"
PLAIN_ANSWERS = {
    "/ok": OK,
    "/503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy",
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "/garbage": b"SSH-2.0-OpenSSH_9.9\r\n",
    "/excess": OK + OK,
}
LAST_ANSWERS = {  # the server closes after these
    "/close": b"",
    "/close-header": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "/to-the-end": b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
    "/cut-head": b"HTTP/1.1 200 OK\r\nContent-Le",
}


class _Connection(asyncio.Protocol):
    def __init__(self, server: "MisbehavingServer") -> None:
        self._server = server
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._server.transports.append(transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
        length = sum(lengths)
        if not end or len(rest) < length:
            return
        self._data = rest[length:]
        self._server.bodies.append(rest[:length])
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        self._server.paths.append(path)
        self._answer(method, self._server.always or path)

    def _answer(self, method: str, path: str) -> None:
        assert self._transport is not None
        if path in PLAIN_ANSWERS:
            self._transport.write(OK[: OK.index(b"ok")] if method == "HEAD" else PLAIN_ANSWERS[path])
        elif path in LAST_ANSWERS:
            self._transport.write(LAST_ANSWERS[path])
            self._transport.close()
        elif path == "/reset":
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif path == "/byte-by-byte":
            asyncio.ensure_future(self._slowly())
        elif path == "/large":
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
        elif path == "/once-per-connection":
            self._transport.write(OK)
            asyncio.get_running_loop().call_later(0.05, self._transport.close)

    async def _slowly(self) -> None:
        assert self._transport is not None
        for position in range(len(OK)):
            self._transport.write(OK[position : position + 1])
            await asyncio.sleep(0)


class MisbehavingServer:
    """Answers each path in its own way, in a thread of its own; a path that it does not know is never answered."""

    def __init__(self) -> None:
        self.always: str | None = None  # answer every path like this one
        self.connections = 0
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.transports: list[asyncio.Transport] = []
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = Address("127.0.0.1", self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def freeze(self, seconds: float) -> None:
        """Stop doing anything at all for so long, from now on; returns at once."""
        self._loop.call_soon_threadsafe(time.sleep, seconds)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        server = self._loop.run_until_complete(self._loop.create_server(lambda: _Connection(self), sock=self._socket))
        self._loop.run_forever()
        server.close()
        for transport in self.transports:
            transport.abort()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    started = MisbehavingServer()
    yield started
    started.stop()


@pytest.fixture
def refusing() -> Iterator[Address]:
    """An address where nothing listens, and nothing will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Address("127.0.0.1", bound.getsockname()[1])


def get(path: str) -> PlannedFlow:
    return PlannedFlow("request", request=HttpRequest("GET", path))


def stream_of(
    flow: PlannedFlow,
    *rates: tuple[float, float],
    name: str = "trading",
    timeout_s: float = 5.0,
    users: int | None = None,
) -> PlannedStream:
    """A stream that runs at each of `rates` (seconds, rate per second) in turn."""
    segments, start_s = [], 0.0
    for seconds, rate in rates:
        segments.append(Segment(start_s, start_s + seconds, rate, rate))
        start_s += seconds
    return PlannedStream(
        name=name,
        flow=flow,
        arrivals="constant",
        seed=7,
        baseline_rps=rates[0][1],
        surge_multiple=1.0,
        segments=tuple(segments),
        expected_per_second=(),
        routing="round_robin",
        timeout_s=timeout_s,
        users=users,
    )


def plan_of(
    *streams: PlannedStream,
    entries: Sequence[str] = (ENTRY,),
    workers: int = 1,
    connections: int = 200,
    settings: Mapping[str, str] | None = None,
    drain_s: float = 3.0,
) -> Plan:
    """A plan of nothing but load."""
    return Plan(
        version=1,
        scenario="load-test",
        title="",
        seed=7,
        target="web",
        driver="external",
        regions=(),
        duration_s=max(stream.segments[-1].end_s for stream in streams),
        drain_s=drain_s,
        baseline_phase=None,
        surge_phase=None,
        phases=(),
        streams=streams,
        faults=(),
        instances=(),
        links=tuple(PlannedLink(name, "client->web", "client", "web", "http", (), Probe("http")) for name in entries),
        entries=tuple(entries),
        resources=(),
        figures=(),
        settings=settings or {},
        credentials={"api_key": "k"},
        objectives=(),
        abort_rules=(),
        generator=GeneratorPlan(workers, connections),
    )


Play = Callable[..., Awaitable[History]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Play a plan against addresses (one for each entry) in real load processes; return what they handed up."""

    async def play_it(plan: Plan, *addresses: Address, during: Callable[[LoadProcesses], object] = id) -> History:
        path = tmp_path / "plan.json"
        path.write_bytes(encode(plan))
        entries = dict(zip(plan.entries, addresses, strict=True))
        load = LoadProcesses(plan, path, entries, tmp_path, {})
        await load.start()
        try:
            load.release(Clock(time.monotonic() + 0.1))
            during(load)
            return History.of([record async for record in load.records()])
        finally:
            await load.stop()

    return play_it
