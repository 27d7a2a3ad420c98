"""Clients that fail over and retry, against servers that misbehave."""

from collections.abc import Iterator

import gevent
import numpy as np
import pytest

from chaoskit.address import Address
from chaoskit.load.flow import Arrival, Client
from chaoskit.plan.clients import PlannedRetries
from tests.support.load_bench import Start, getting
from tests.support.misbehaving_server import MisbehavingServer

IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")
ALL = ("refused", "unreachable", "reset", "closed", "timeout", "bad_answer", "status 503")


@pytest.fixture
def other() -> Iterator[MisbehavingServer]:
    started = MisbehavingServer()
    yield started
    started.stop()


def naive(attempts: int = 3, methods: tuple[str, ...] = IDEMPOTENT, per_try_timeout_s: float = 0.1) -> PlannedRetries:
    return PlannedRetries(attempts, ALL, methods, per_try_timeout_s=per_try_timeout_s)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/503", "status 503"),
        ("/close", "closed"),
        ("/reset", "reset"),
        ("/garbage", "bad_answer"),
        ("/never", "timeout"),
    ],
)
def test_what_fails_is_sent_again_and_each_attempt_counted(
    bench: Start, server: MisbehavingServer, path: str, reason: str
) -> None:
    (outcomes,) = bench(server.address).play(getting(path), retries=naive())
    assert outcomes.reasons == (reason,)
    assert outcomes.failed[:, 3].tolist() == [3]
    assert server.paths == [path] * 3


def test_a_retry_that_goes_well_makes_its_arrival_good(bench: Start, server: MisbehavingServer) -> None:
    server.once.extend(["/503", "/reset"])
    (outcomes,) = bench(server.address).play(getting("/ok"), retries=naive())
    assert outcomes.reasons == ()
    assert outcomes.ok[:, 3].tolist() == [3]


@pytest.mark.parametrize(("methods", "sent"), [(IDEMPOTENT, 1), ((*IDEMPOTENT, "POST"), 3)])
def test_an_order_is_submitted_again_only_where_post_is_named(
    bench: Start, server: MisbehavingServer, methods: tuple[str, ...], sent: int
) -> None:
    (outcomes,) = bench(server.address).play(getting("/never", "POST"), retries=naive(methods=methods), timeout_s=1)
    assert outcomes.reasons == ("timeout",)
    assert server.paths == ["/never"] * sent


def test_an_order_that_could_not_even_connect_is_sent_again(bench: Start, refusing: Address) -> None:
    (outcomes,) = bench(refusing).play(getting("/ok", "POST"), retries=naive())
    assert (outcomes.reasons, outcomes.failed[:, 3].tolist()) == (("refused",), [3])


def test_no_retry_outlives_its_arrival(bench: Start, server: MisbehavingServer) -> None:
    retries = naive(attempts=20, per_try_timeout_s=0.15)
    (outcomes,) = bench(server.address).play(getting("/never"), retries=retries, timeout_s=0.4)
    assert outcomes.reasons == ("timeout",)
    assert 2 <= outcomes.failed[0, 3] <= 3


def test_a_pause_that_no_time_is_left_for_is_not_made(bench: Start, server: MisbehavingServer) -> None:
    retries = PlannedRetries(3, ALL, IDEMPOTENT, backoff_s=5.0, backoff_max_s=5.0, jitter="none")
    (outcomes,) = bench(server.address).play(getting("/503"), retries=retries, timeout_s=2.0)
    assert outcomes.failed[:, 3].tolist() == [1]
    assert outcomes.failed[0, 2] - outcomes.failed[0, 1] < 1_500_000


def test_pauses_grow_and_hold_nothing_up(bench: Start, server: MisbehavingServer) -> None:
    retries = PlannedRetries(3, ALL, IDEMPOTENT, backoff_s=0.3, jitter="none")
    server.once.append("/503")
    server.once.append("/503")
    (outcomes,) = bench(server.address).play(getting("/ok"), at_ms=(0, 150), retries=retries)
    took_us = np.sort(outcomes.ok[:, 2] - outcomes.ok[:, 1])
    assert sorted(outcomes.ok[:, 3].tolist()) in ([1, 3], [2, 2])
    assert took_us[-1] >= 300_000
    assert server.connections == 1  # the one that pauses leaves its connection to the other


@pytest.mark.parametrize(("heeds", "least_us", "most_us"), [(True, 1_000_000, 1_900_000), (False, 0, 900_000)])
def test_retry_after_is_waited_for_where_the_client_heeds_it(
    bench: Start, server: MisbehavingServer, heeds: bool, least_us: int, most_us: int
) -> None:
    server.once.append("/503-after-1s")
    retries = PlannedRetries(3, ALL, IDEMPOTENT, retry_after=heeds)
    (outcomes,) = bench(server.address).play(getting("/ok"), retries=retries)
    assert outcomes.ok[:, 3].tolist() == [2]
    assert least_us <= outcomes.ok[0, 2] - outcomes.ok[0, 1] <= most_us


def test_under_failover_each_retry_goes_to_the_next_entry(
    bench: Start, server: MisbehavingServer, other: MisbehavingServer
) -> None:
    server.always, other.always = "/503", "/ok"
    home, away = bench(server.address, other.address).play(
        getting("/"), at_ms=(0, 50), routing="failover", retries=naive()
    )
    assert home.count == 0
    assert away.ok[:, 3].tolist() == [2, 1]
    assert len(server.paths) == 1


def test_naive_retries_make_a_storm_and_a_budget_holds_it(bench: Start, server: MisbehavingServer) -> None:
    arrivals = 100
    built = bench(server.address)
    (storm,) = built.play(getting("/503"), at_ms=range(arrivals), retries=naive())
    budgeted = PlannedRetries(3, ALL, IDEMPOTENT, budget_ratio=0.2, reserve=5)
    (held,) = built.play(getting("/503"), at_ms=range(arrivals), retries=budgeted)
    assert storm.failed[:, 3].sum() == 3 * arrivals
    assert arrivals + 5 <= held.failed[:, 3].sum() <= arrivals + 0.2 * arrivals + 5


def test_what_pauses_when_the_run_ends_counts_as_failed(bench: Start, server: MisbehavingServer) -> None:
    retries = PlannedRetries(9, ALL, IDEMPOTENT, backoff_s=1.0, jitter="none")
    built = bench(server.address)
    (outcomes,) = built.play(getting("/503"), at_ms=(0, 1), retries=retries, timeout_s=60, drain_until_us=200_000)
    assert outcomes.reasons == ("timeout",) * 2
    assert built.dispatcher.in_flight == 0
    assert built.pools[0].busy.count == 0


def test_a_connection_that_closes_while_its_flow_does_something_else_is_not_used_again(
    bench: Start, server: MisbehavingServer
) -> None:
    def flow(client: Client, arrival: Arrival) -> None:
        client.request("GET", "/once-per-connection")
        gevent.sleep(0.3)
        client.request("POST", "/ok")

    (outcomes,) = bench(server.address).play(flow)
    assert (outcomes.reasons, outcomes.ok[:, 3].tolist()) == ((), [2])


def calling(client: Client, _arrival: Arrival) -> None:
    client.call("eth_blockNumber")


@pytest.mark.parametrize(("on", "paths"), [(("rpc -32005",), ["/", "/"]), (("status 503",), ["/"])])
def test_an_error_of_json_rpc_is_tried_again_where_it_is_named(
    bench: Start, server: MisbehavingServer, on: tuple[str, ...], paths: list[str]
) -> None:
    server.once.extend(["/rpc-error", "/rpc"])
    retries = PlannedRetries(2, on, ("POST",))
    (outcomes,) = bench(server.address).play(calling, retries=retries)
    assert outcomes.reasons == (() if len(paths) == 2 else ("rpc -32005",))
    assert server.paths == paths


def test_under_failover_it_is_another_provider_that_is_asked_then(
    bench: Start, server: MisbehavingServer, other: MisbehavingServer
) -> None:
    server.always, other.always = "/rpc-error", "/rpc"
    retries = PlannedRetries(2, ("rpc -32005",), ("POST",))
    outcomes = bench(server.address, other.address).play(calling, routing="failover", retries=retries)
    assert [len(each.ok) for each in outcomes] == [0, 1]
