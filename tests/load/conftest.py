"""Servers on loopback, and a whole play against them."""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.codec import encode
from chaoskit.plan.model import Plan
from chaoskit.records import History
from tests.support.load_plan import Play
from tests.support.misbehaving_server import MisbehavingServer


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
