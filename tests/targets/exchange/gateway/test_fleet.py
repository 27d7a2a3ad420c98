"""A gateway with an autoscaler, as a process."""

import time
from collections.abc import Iterator

import pytest

from tests.support.exchange import RunningExchange, running_exchange

SERVING = "exchange_replicas_serving"
SLOTS = 'resource_servers{resource="workers"}'
CONNECTIONS = 'resource_servers{resource="db_pool"}'


@pytest.fixture(scope="module")
def spacious(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """An exchange whose database has connections left: those of the other tests' gateways are elsewhere."""
    with running_exchange(tmp_path_factory.mktemp("spacious"), "--accounts=20") as running:
        yield running


def test_a_gateway_grows_by_replicas_that_bring_slots_and_connections(spacious: RunningExchange) -> None:
    gateway = spacious.start_gateway(
        "growing", "--workers=5", "--db-pool=2", "--replicas=2", "--autoscaler=reactive", "--least-replicas=4",
        "--sync-period=100ms", "--boot-delay=200ms", "--warm-up=1s",
    )  # fmt: skip
    deadline_s = time.monotonic() + 20
    while (metrics := gateway.metrics())[SERVING] < 4 or metrics["exchange_db_connections_open"] < 8:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    assert metrics["exchange_replicas_wanted"] == 4
    assert metrics["exchange_replicas_booting"] == 0
    assert metrics[SLOTS] == 20
    assert metrics[CONNECTIONS] == 8
    gateway.stop()


def test_replicas_without_an_autoscaler_are_just_that_many(spacious: RunningExchange) -> None:
    gateway = spacious.start_gateway("provisioned", "--workers=5", "--db-pool=2", "--replicas=3")
    metrics = gateway.metrics()
    assert SERVING not in metrics
    assert (metrics[SLOTS], metrics[CONNECTIONS]) == (15, 6)
    gateway.stop()
