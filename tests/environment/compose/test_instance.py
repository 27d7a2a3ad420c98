"""A service as a component, without an engine."""

import socket
from pathlib import Path

import pytest

from chaoskit.address import Address
from chaoskit.environment.compose.instance import ServiceInstance
from chaoskit.plan.model import PlannedReady


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (None, r"^port `http` \(number 7001 in target\.yaml\) does not accept connections after 0\.2s \("),
        ("/ready", r"^/ready of port `http` \(number 7001 in target\.yaml\) is not ready after 0\.2s \("),
    ],
)
async def test_a_wrong_number_is_told_by_the_names_of_the_manifest(tmp_path: Path, path: str | None, said: str) -> None:
    with socket.socket() as published:  # bound, and nobody listens, as behind a number that the service does not have
        published.bind(("127.0.0.1", 0))
        ready = PlannedReady("http", path, 0.2)
        addresses = {"http": Address(*published.getsockname())}
        service = ServiceInstance("store", addresses, {"http": 7001}, ready, tmp_path / "store.log", print)
        with pytest.raises(TimeoutError, match=said):
            await service._until_answering(ready)
