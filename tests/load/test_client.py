"""The lean client in this process, against a server that misbehaves: lane, pool, connection and dispatcher."""

import json
import socket
import time

import gevent
import numpy as np
import pytest

from chaoskit.address import Address
from chaoskit.load.arrival import Limits, Stream
from chaoskit.load.flow import Arrival, Client
from chaoskit.load.outcomes import Recorder
from chaoskit.load.routing import router_for
from chaoskit.plan.arrivals import Schedule
from tests.support.load_bench import Start, getting
from tests.support.misbehaving_server import MisbehavingServer


@pytest.mark.parametrize(
    "path",
    ["/ok", "/204", "/304", "/chunked", "/continue", "/close-header", "/to-the-end", "/byte-by-byte", "/large"],
)
def test_a_good_answer_is_ok(bench: Start, server: MisbehavingServer, path: str) -> None:
    (outcomes,) = bench(server.address).play(getting(path), at_ms=(0, 1))
    assert (len(outcomes.ok), outcomes.reasons) == (2, ())


def test_head(bench: Start, server: MisbehavingServer) -> None:
    (outcomes,) = bench(server.address).play(getting("/ok", "HEAD"), at_ms=(0, 30, 60))
    assert len(outcomes.ok) == 3
    assert server.connections == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/503", "status 503"),
        ("/close", "closed"),
        ("/reset", "reset"),
        ("/cut", "closed"),
        ("/garbage", "bad_answer"),
        ("/excess", "bad_answer"),
        ("/never-answered", "timeout"),
        ("/half", "body_timeout"),
    ],
)
def test_each_error_has_its_word(bench: Start, server: MisbehavingServer, path: str, reason: str) -> None:
    (outcomes,) = bench(server.address).play(getting(path), timeout_s=0.3)
    assert outcomes.reasons == (reason,)


def test_nobody_listens(bench: Start, refusing: Address) -> None:
    (outcomes,) = bench(refusing).play(getting("/ok"))
    assert outcomes.reasons == ("refused",)


def test_a_connection_that_is_never_accepted_times_out_as_such(bench: Start) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = Address("127.0.0.1", full.getsockname()[1])
        with socket.create_connection(address):
            (outcomes,) = bench(address).play(getting("/ok"), timeout_s=0.3)
    assert outcomes.reasons == ("connect_timeout",)


def test_a_connection_has_a_limit_of_its_own(bench: Start) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = Address("127.0.0.1", full.getsockname()[1])
        with socket.create_connection(address):
            (outcomes,) = bench(address).play(getting("/ok"), timeout_s=5, limits=Limits(connect_us=100_000))
    assert outcomes.reasons == ("connect_timeout",)
    assert outcomes.done_us[0] < 2_000_000


@pytest.mark.parametrize(
    ("path", "reasons"),
    [("/never-answered", ("timeout",)), ("/half-and-half", ()), ("/slow", ("timeout",)), ("/ok", ())],
)
def test_the_first_byte_has_a_limit_of_its_own_and_the_rest_the_whole_time(
    bench: Start, server: MisbehavingServer, path: str, reasons: tuple[str, ...]
) -> None:
    limits = Limits(first_byte_us=100_000)
    (outcomes,) = bench(server.address).play(getting(path), at_ms=(0,), timeout_s=5, limits=limits)
    assert outcomes.reasons == reasons
    assert outcomes.done_us[0] < 2_000_000


def test_on_a_kept_connection_the_first_byte_is_that_of_the_next_answer(
    bench: Start, server: MisbehavingServer
) -> None:
    def flow(client: Client, _arrival: Arrival) -> None:
        client.request("GET", "/ok")
        client.request("GET", "/slow")

    (outcomes,) = bench(server.address).play(flow, timeout_s=5, limits=Limits(first_byte_us=100_000))
    assert outcomes.reasons == ("timeout",)


@pytest.mark.parametrize(
    ("path", "reasons", "result", "error"),
    [
        ("/rpc", (), "0x10", None),
        ("/rpc-word", (), 'no "error" here', None),
        ("/rpc-error", ("rpc -32005",), None, -32005),
        ("/rpc-half", ("rpc bad answer",), None, None),
        ("/rpc-batch", ("rpc 3",), None, None),
        ("/ok", ("rpc bad answer",), None, None),
        ("/503", ("status 503",), None, None),
    ],
)
def test_an_error_of_json_rpc_is_a_failure_also_in_200(
    bench: Start, server: MisbehavingServer, path: str, reasons: tuple[str, ...], result: object, error: int | None
) -> None:
    replies = []
    (outcomes,) = bench(server.address).play(lambda client, _: replies.append(client.call("eth_x", ["0x1"], path)))
    assert outcomes.reasons == reasons
    assert [(reply.result, reply.error and reply.error["code"]) for reply in replies] == [(result, error)]
    assert json.loads(server.bodies[0]) == {"jsonrpc": "2.0", "id": 1, "method": "eth_x", "params": ["0x1"]}


def test_a_code_in_an_error_body_tells_failures_apart(bench: Start, server: MisbehavingServer) -> None:
    started = bench(server.address)
    words = [started.play(getting(path), error_code="code")[0].reasons for path in ("/coded", "/503")]
    assert words == [("status 400 code -2019",), ("status 503",)]
    assert started.play(getting("/coded"))[0].reasons == ("status 400",)


def test_connections_are_kept_and_used_again(bench: Start, server: MisbehavingServer) -> None:
    (outcomes,) = bench(server.address).play(getting("/ok"), at_ms=range(0, 100, 20))
    assert len(outcomes.ok) == 5
    assert server.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    bench: Start, server: MisbehavingServer
) -> None:
    (outcomes,) = bench(server.address).play(getting("/once-per-connection", "POST"), at_ms=(0, 200, 400))
    assert (len(outcomes.ok), outcomes.reasons) == (3, ())
    assert outcomes.ok[:, 3].tolist() == [1, 1, 1]  # attempts: none was made in vain
    assert server.connections == 3


@pytest.mark.parametrize(
    ("method", "reasons", "attempts"),
    [("GET", ("closed", "closed"), [1, 2]), ("POST", ("closed", "closed"), [1, 1])],
)
def test_only_an_idempotent_request_is_sent_again_when_a_kept_connection_proves_stale(
    bench: Start, server: MisbehavingServer, method: str, reasons: tuple[str, ...], attempts: list[int]
) -> None:
    def flow(client: Client, arrival: Arrival) -> None:
        if arrival.index == 1:
            client.request("GET", "/ok")
        client.request(method, "/close")

    (outcomes,) = bench(server.address).play(flow, at_ms=(0, 50))
    assert outcomes.reasons == reasons
    first, second = outcomes.failed[:, 3].tolist()
    assert [first, second - 1] == attempts  # the second arrival made one good request before


def test_bodies_and_headers_arrive(bench: Start, server: MisbehavingServer) -> None:
    body = b"x" * 5_000_000  # more than the socket's buffers hold

    def flow(client: Client, arrival: Arrival) -> None:
        answer = client.request("POST", "/ok", {"content-type": "text/plain"}, body)
        assert (answer.status, answer.headers["x-twice"], answer.body) == (200, "a, b", b"ok")

    (outcomes,) = bench(server.address).play(flow, timeout_s=5)
    assert outcomes.reasons == ()
    assert server.bodies == [body]


def test_what_a_flow_sees_and_says(bench: Start, server: MisbehavingServer) -> None:
    seen: list[tuple[int, int, str]] = []

    def flow(client: Client, arrival: Arrival) -> None:
        seen.append((arrival.index, arrival.key, arrival.settings["s"]))
        client.request("GET", "/ok")
        client.request("GET", "/ok")
        if arrival.index == 1:
            client.fail("rejected")
            client.fail("too late: the first reason counts")

    (outcomes,) = bench(server.address).play(flow, at_ms=(0, 30), keys=(7, 4_000_000_000))
    assert seen == [(0, 7, "1"), (1, 4_000_000_000, "1")]
    assert (outcomes.ok[:, 3].tolist(), outcomes.reasons) == ([2], ("rejected",))


def test_an_error_in_a_flow_fails_its_arrival_and_is_noted_a_few_times(bench: Start, server: MisbehavingServer) -> None:
    def flow(client: Client, arrival: Arrival) -> None:
        client.request("GET", "/ok")
        raise KeyError("missing")

    built = bench(server.address)
    (outcomes,) = built.play(flow, at_ms=range(10))
    assert outcomes.reasons == ("flow error: KeyError",) * 10
    assert built.stream is not None
    assert len(built.stream.notes) == 3
    assert "KeyError: 'missing'" in built.stream.notes[0]
    assert "test_client.py" in built.stream.notes[0]


def test_a_flow_that_exits_takes_nothing_with_it(bench: Start, server: MisbehavingServer) -> None:
    def flow(client: Client, arrival: Arrival) -> None:
        raise SystemExit(3)

    (outcomes,) = bench(server.address).play(flow)
    assert outcomes.reasons == ("flow error: SystemExit",)


def test_a_failed_request_is_the_reason_even_where_the_flow_trips_over_it(
    bench: Start, server: MisbehavingServer
) -> None:
    def flow(client: Client, arrival: Arrival) -> None:
        client.request("GET", "/503")
        raise ValueError("no JSON")

    built = bench(server.address)
    (outcomes,) = built.play(flow)
    assert outcomes.reasons == ("status 503",)
    assert built.stream is not None
    assert built.stream.notes == []


def test_a_flow_may_catch_that_no_answer_came(bench: Start, server: MisbehavingServer) -> None:
    caught: list[str] = []

    def flow(client: Client, arrival: Arrival) -> None:
        try:
            client.request("GET", "/close")
        except ConnectionError as error:
            caught.append(str(error))

    (outcomes,) = bench(server.address).play(flow)
    assert caught == ["closed"]
    assert outcomes.reasons == ("closed",)


def test_arrivals_do_not_wait_for_answers(bench: Start, server: MisbehavingServer) -> None:
    (outcomes,) = bench(server.address, limit=50).play(getting("/never"), at_ms=range(20), timeout_s=0.5)
    assert outcomes.reasons == ("timeout",) * 20
    lag_us = outcomes.failed[:, 1] - outcomes.failed[:, 0]
    assert lag_us.max() < 400_000  # all were sent long before the first gave up


def test_what_finds_no_connection_waits_and_then_counts_as_unsent(bench: Start, server: MisbehavingServer) -> None:
    built = bench(server.address, limit=2)
    (outcomes,) = built.play(getting("/never"), at_ms=(0, 0, 0, 0), timeout_s=0.4)
    assert sorted(outcomes.reasons) == ["timeout", "timeout", "unsent", "unsent"]
    assert built.dispatcher.unsent_count == 2
    assert built.dispatcher.backlog == 0
    assert built.pools[0].busy.count == 0
    assert sorted(server.paths) == ["/never", "/never"]


def test_the_backlog_is_served_as_connections_come_free(bench: Start, server: MisbehavingServer) -> None:
    (outcomes,) = bench(server.address, limit=1).play(getting("/ok"), at_ms=[0] * 30)
    assert len(outcomes.ok) == 30
    assert server.connections == 1
    sent_us = outcomes.ok[:, 1]
    assert (np.diff(sent_us) > 0).all()  # one after the other
    assert (outcomes.ok[:, 2] - outcomes.ok[:, 0]).min() >= 0


def test_what_is_in_flight_when_the_run_ends_counts_as_failed(bench: Start, server: MisbehavingServer) -> None:
    built = bench(server.address, limit=1)
    recorder = Recorder("trading", "client->0")
    stream = Stream("trading", getting("/never"), router_for("pinned", 1), 60_000_000, [recorder], {}, {})
    built.run_time.release(time.monotonic())
    arrivals = Schedule(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.uint32))
    built.dispatcher.play(stream, arrivals, 0, 1)
    built.dispatcher.drain(100_000)
    assert sorted(recorder.take().reasons) == ["timeout", "unsent"]
    assert built.dispatcher.in_flight == 0


def test_round_robin_and_pinned(bench: Start) -> None:
    one, two = MisbehavingServer(), MisbehavingServer()
    try:
        built = bench(one.address, two.address)
        turns = built.play(getting("/ok"), at_ms=range(0, 60, 10))
        assert [len(each.ok) for each in turns] == [3, 3]
        pinned = built.play(getting("/ok"), at_ms=range(0, 60, 10), keys=(1, 1, 3, 5, 2, 7), routing="pinned")
        assert [len(each.ok) for each in pinned] == [1, 5]
    finally:
        one.stop()
        two.stop()


@pytest.mark.parametrize("path", ["/503", "/close", "/never"])
def test_failover_tries_the_next_entry_and_stays_there(bench: Start, server: MisbehavingServer, path: str) -> None:
    other = MisbehavingServer()
    server.always, other.always = path, "/ok"
    try:
        home, away = bench(server.address, other.address).play(
            getting("/"), at_ms=(0, 500, 520), timeout_s=0.6, routing="failover"
        )
    finally:
        other.stop()
    assert (home.count, away.reasons) == (0, ())
    assert away.ok[:, 3].tolist() == [2, 1, 1]  # attempts: the later ones went to the second entry at once
    assert len(server.paths) == 1


def test_failover_away_from_an_entry_that_refuses(bench: Start, server: MisbehavingServer, refusing: Address) -> None:
    home, other = bench(refusing, server.address).play(
        getting("/ok"), at_ms=(0, 30, 60), timeout_s=2.0, routing="failover"
    )
    assert home.count == 0
    assert other.ok[:, 3].tolist() == [2, 1, 1]  # attempts: only the first tried in vain


def test_arrivals_that_a_busy_process_is_too_late_to_dispatch_are_offered_all_the_same(
    bench: Start, server: MisbehavingServer
) -> None:
    def burn(client: Client, arrival: Arrival) -> None:
        end_s = time.monotonic() + 0.01
        while time.monotonic() < end_s:
            pass
        client.request("GET", "/ok")

    one = bench(server.address)
    dispatching: list[gevent.Greenlet] = []

    def dispatch(stream: Stream, schedule: Schedule) -> None:
        dispatching.append(gevent.spawn(one.dispatcher.play, stream, schedule, 0, 1))
        gevent.sleep(0.06)

    [outcomes] = one.play(burn, at_ms=range(60), dispatch=dispatch, drain_until_us=60_000)
    assert outcomes.count == 60
    assert "unsent" in outcomes.reasons
    assert dispatching[0].ready()


def test_the_wait_for_a_connection_is_the_target_s_and_no_lag(bench: Start, server: MisbehavingServer) -> None:
    def take_long(client: Client, arrival: Arrival) -> None:
        client.request("GET", "/ok")
        gevent.sleep(0.1)

    (outcomes,) = bench(server.address, limit=1).play(take_long, at_ms=range(5), timeout_s=9)
    (batch,) = outcomes.batches(0)
    response_us = outcomes.ok[:, 2] - outcomes.ok[:, 0]
    assert response_us.max() >= 490_000
    assert batch.lag_us.count == 5
    assert batch.lag_us.max_us < 300_000  # the last waited for the four before it
