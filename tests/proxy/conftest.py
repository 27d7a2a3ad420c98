"""Fixtures of the embedded proxy's own tests."""

import socket
from collections.abc import Iterator

import pytest

from tests.support.links import LinkRig


@pytest.fixture
def rig() -> Iterator[LinkRig]:
    sender, source = socket.socketpair()
    target, receiver = socket.socketpair()
    sockets = (sender, source, target, receiver)
    for side in sockets:
        side.setblocking(False)
    yield LinkRig(*sockets)
    for side in sockets:
        side.close()
