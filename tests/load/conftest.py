"""Servers on loopback, and a whole play against them."""

import functools
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaoskit.address import Address
from tests.support.load_bench import Bench, Start
from tests.support.load_plan import Play, play_plan
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
    """Play a plan in real load processes, as `play_plan` does, with the test's folder for its files."""
    return functools.partial(play_plan, tmp_path)


@pytest.fixture
def bench() -> Iterator[Start]:
    started: list[Bench] = []

    def start(*addresses: Address, limit: int = 10) -> Bench:
        started.append(Bench(addresses, limit))
        return started[-1]

    yield start
    for each in started:
        each.dispatcher.stop()
        for pool in each.pools:
            while (connection := pool.idle_connection()) is not None:
                connection.close()
