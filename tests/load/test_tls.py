"""The lean client over TLS, against a real server with a certificate of its own authority."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit import plan as planning
from chaoskit.address import Address
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.load.flow import Arrival, Client
from chaoskit.load.outcomes import Outcomes
from chaoskit.load.pool import Pool
from chaoskit.plan.tls import PlannedTls
from chaoskit.scenario import load
from tests.support.load_bench import Bench, getting
from tests.support.load_plan import Play, get, plan_of, stream_of
from tests.support.misbehaving_server import MisbehavingServer
from tests.support.tls_server import LARGE, NAME, TlsServer


@pytest.fixture
def secure() -> Iterator[list[Bench]]:
    started: list[Bench] = []
    yield started
    for bench in started:
        bench.dispatcher.stop()
        for pool in bench.pools:
            while (connection := pool.idle_connection()) is not None:
                connection.close()


def bench_of(started: list[Bench], address: Address, tls: PlannedTls, host: str = NAME) -> Bench:
    bench = Bench([address], 10)
    bench.dispatcher.stop()
    bench.pools = [Pool("client->0", "client->web", address, 10, host, tls)]
    bench.dispatcher = Dispatcher(bench.run_time, bench.pools)
    started.append(bench)
    return bench


def play(started: list[Bench], server: TlsServer, flow: object, **more: object) -> Outcomes:
    (outcomes,) = bench_of(started, server.address, server.tls).play(flow, **more)  # type: ignore[arg-type]
    return outcomes


def test_connections_are_kept_and_the_server_is_called_by_its_name(secure: list[Bench], tls_server: TlsServer) -> None:
    outcomes = play(secure, tls_server, getting("/ok"), at_ms=range(0, 200, 40))
    assert (len(outcomes.ok), outcomes.reasons) == (5, ())
    assert tls_server.connections == 1, "a session ticket that comes meanwhile closes nothing"
    assert set(tls_server.hosts) == {NAME}


def test_large_bodies_go_both_ways(secure: list[Bench], tls_server: TlsServer) -> None:
    bodies = []

    def flow(client: Client, _arrival: Arrival) -> None:
        bodies.append(client.request("POST", "/large", body=LARGE).body)

    outcomes = play(secure, tls_server, flow, timeout_s=10)
    assert outcomes.reasons == ()
    assert bodies == [LARGE]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"authorities": None}, ("bad_certificate",)),
        ({"server_name": "other.test"}, ("bad_certificate",)),
        ({"authorities": None, "verify": False}, ()),
    ],
)
def test_whom_to_believe_is_the_scenarios_to_say(
    secure: list[Bench], tls_server: TlsServer, change: dict[str, object], reasons: tuple[str, ...]
) -> None:
    tls = replace(tls_server.tls, **change)  # type: ignore[arg-type]
    (outcomes,) = bench_of(secure, tls_server.address, tls).play(getting("/ok"))
    assert outcomes.reasons == reasons


def test_who_speaks_no_tls_says_so(secure: list[Bench], server: MisbehavingServer) -> None:
    (outcomes,) = bench_of(secure, server.address, PlannedTls(NAME)).play(getting("/ok"), timeout_s=0.5)
    assert outcomes.reasons in {("bad_tls",), ("connect_timeout",)}


def test_a_handshake_that_never_ends_is_a_connection_that_does(secure: list[Bench]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("127.0.0.1", silent.getsockname()[1])
        (outcomes,) = bench_of(secure, address, PlannedTls(NAME)).play(getting("/ok"), timeout_s=0.3)
    assert outcomes.reasons == ("connect_timeout",)


async def test_a_scenario_with_an_https_url_is_played(play: Play, tls_server: TlsServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(tls_server.authorities)
    (tmp_path / "day.yaml").write_text(
        f"""\
version: 1
name: secure
target: {{external: {{shop: "https://{NAME}:{tls_server.address.port}"}}, tls: {{authorities: ca.pem}}}}
load: {{quotes: {{request: {{path: /}}, rate: 50/s}}}}
phases: [one: {{for: 1s}}]
objectives: [errors < 1%]
"""
    )
    link = planning.build(load(tmp_path / "day.yaml", allow_targets=[NAME])).links[0]
    assert (link.upstream, link.host) == (f"{NAME}:{tls_server.address.port}", f"{NAME}:{tls_server.address.port}")
    assert link.tls == tls_server.tls
    plan = plan_of(stream_of(get("/"), (1, 50)))
    plan = replace(plan, links=(replace(plan.links[0], host=link.host, tls=link.tls),))
    history = await play(plan, tls_server.address)
    assert sum(batch.ok for batch in history.samples) == 50
