"""Hedged requests, against servers that are slow, fail, or never answer."""

from collections.abc import Iterator

import gevent
import pytest

from chaoskit.address import Address
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from tests.support.load_bench import Bench, Start, getting
from tests.support.misbehaving_server import MisbehavingServer

HEDGE = PlannedHedge(0.05, ("GET", "HEAD"))


@pytest.fixture
def other() -> Iterator[MisbehavingServer]:
    started = MisbehavingServer()
    yield started
    started.stop()


def nothing_left(built: Bench) -> None:
    gevent.idle()  # what a lane gives up is cut off by the loop's next turn
    assert [pool.busy.count for pool in built.pools] == [0] * len(built.pools)
    assert built.dispatcher.in_flight == 0


def test_the_second_request_goes_to_the_next_entry_and_its_answer_is_taken(
    bench: Start, server: MisbehavingServer, other: MisbehavingServer
) -> None:
    server.always, other.always = "/never", "/ok"
    built = bench(server.address, other.address)
    home, away = built.play(getting("/"), at_ms=(0, 20, 40), routing="pinned", hedge=HEDGE)
    assert (home.count, away.reasons) == (0, ())
    assert away.ok[:, 3].tolist() == [2, 2, 2]
    assert (away.ok[:, 2] - away.ok[:, 1]).min() >= 50_000
    nothing_left(built)
    assert built.pools[0].open_connections == 0  # the losers are closed


def test_with_one_entry_it_takes_another_connection(bench: Start, server: MisbehavingServer) -> None:
    server.once.append("/never")
    built = bench(server.address, limit=2)
    (outcomes,) = built.play(getting("/ok"), hedge=HEDGE)
    assert (outcomes.reasons, outcomes.ok[:, 3].tolist()) == ((), [2])
    assert server.connections == 2
    nothing_left(built)


def test_a_quick_answer_is_asked_for_once(bench: Start, server: MisbehavingServer) -> None:
    built = bench(server.address)
    (outcomes,) = built.play(getting("/ok"), at_ms=range(0, 100, 10), hedge=PlannedHedge(0.5, ("GET",)))
    assert outcomes.ok[:, 3].tolist() == [1] * 10
    assert server.connections == 1


@pytest.mark.parametrize(("methods", "sent"), [(("GET", "HEAD"), 1), (("POST",), 2)])
def test_an_order_is_sent_twice_only_where_post_is_named(
    bench: Start, server: MisbehavingServer, methods: tuple[str, ...], sent: int
) -> None:
    (outcomes,) = bench(server.address).play(
        getting("/never", "POST"), hedge=PlannedHedge(0.05, methods), timeout_s=0.3
    )
    assert outcomes.reasons == ("timeout",)
    assert outcomes.failed[:, 3].tolist() == [sent]
    assert len(server.paths) == sent


def test_where_no_place_is_free_nothing_is_sent_and_nothing_waits(bench: Start, server: MisbehavingServer) -> None:
    built = bench(server.address, limit=1)
    (outcomes,) = built.play(getting("/never"), hedge=HEDGE, timeout_s=0.3)
    assert (outcomes.reasons, outcomes.failed[:, 3].tolist()) == (("timeout",), [1])
    nothing_left(built)


@pytest.mark.parametrize("second", ["/close", "/reset", "/garbage"])
def test_a_second_request_that_fails_leaves_the_first_its_time(
    bench: Start, server: MisbehavingServer, other: MisbehavingServer, second: str
) -> None:
    server.always, other.always = "/slow", second
    built = bench(server.address, other.address)
    home, away = built.play(getting("/"), routing="pinned", hedge=HEDGE)
    assert (home.ok[:, 3].tolist(), away.count) == ([2], 0)
    nothing_left(built)


def test_a_first_request_that_fails_leaves_the_second_its_time(
    bench: Start, server: MisbehavingServer, other: MisbehavingServer
) -> None:
    server.always, other.always = "/slow-close", "/slow"
    built = bench(server.address, other.address)
    home, away = built.play(getting("/"), routing="pinned", hedge=HEDGE)
    assert (away.ok[:, 3].tolist(), home.count) == ([2], 0)
    nothing_left(built)


def test_two_that_never_answer_end_in_time(bench: Start, server: MisbehavingServer, other: MisbehavingServer) -> None:
    built = bench(server.address, other.address, limit=50)
    home, away = built.play(getting("/never"), at_ms=range(20), hedge=HEDGE, timeout_s=0.3)
    assert (*home.reasons, *away.reasons) == ("timeout",) * 20
    assert [*home.failed[:, 3], *away.failed[:, 3]] == [2] * 20
    nothing_left(built)


def test_a_second_request_that_is_refused_is_no_harm(
    bench: Start, server: MisbehavingServer, refusing: Address
) -> None:
    server.always = "/slow"
    built = bench(server.address, refusing)
    home, away = built.play(getting("/"), routing="pinned", hedge=HEDGE)
    assert (home.ok[:, 3].tolist(), away.count) == ([2], 0)
    nothing_left(built)


def test_a_budget_bounds_second_requests(bench: Start, server: MisbehavingServer) -> None:
    hedge = PlannedHedge(0.02, ("GET",), budget_ratio=0.0)
    (outcomes,) = bench(server.address, limit=100).play(getting("/never"), at_ms=[0] * 30, hedge=hedge, timeout_s=0.3)
    assert outcomes.failed[:, 3].sum() == 30 + 10  # the reserve


def test_retries_of_hedged_requests_count_every_attempt(bench: Start, server: MisbehavingServer) -> None:
    retries = PlannedRetries(2, ("timeout",), ("GET",), per_try_timeout_s=0.15)
    built = bench(server.address)
    (outcomes,) = built.play(getting("/never"), hedge=HEDGE, retries=retries, timeout_s=1.0)
    assert (outcomes.reasons, outcomes.failed[:, 3].tolist()) == (("timeout",), [4])
    nothing_left(built)


def test_a_hedged_flood_beyond_its_connections_drains(bench: Start, server: MisbehavingServer) -> None:
    server.always = "/slow"
    built = bench(server.address, limit=6)
    (outcomes,) = built.play(getting("/"), at_ms=range(0, 60, 2), hedge=HEDGE, timeout_s=8.0)
    assert (len(outcomes.ok), outcomes.reasons) == (30, ())
    nothing_left(built)
    assert built.pools[0].open_connections <= 6


def test_what_is_in_flight_when_the_run_ends_counts_as_failed(bench: Start, server: MisbehavingServer) -> None:
    built = bench(server.address)
    (outcomes,) = built.play(getting("/never"), hedge=HEDGE, timeout_s=60, drain_until_us=150_000)
    assert outcomes.reasons == ("timeout",)
    nothing_left(built)
