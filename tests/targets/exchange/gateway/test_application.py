"""The gateway over HTTP: what a client sees when it is wrong, and when something behind it runs out."""

import asyncio
import hashlib
import hmac
from time import time

import httpx
import pytest
from exchange.venue import api_key, api_secret

from tests.support.exchange import Component, RunningExchange
from tests.support.relay import relay_to


def signed(account: int, parameters: str = "") -> str:
    payload = f"{parameters}{'&' if parameters else ''}recvWindow=60000&timestamp={int(time() * 1000)}"
    secret = api_secret(api_key(account)).encode()
    return f"{payload}&signature={hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()}"


def client(gateway: Component, account: int = 1) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=400)
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{gateway.port}",
        headers={"X-MBX-APIKEY": api_key(account)},
        limits=limits,
        timeout=60,
        trust_env=False,
    )


async def positions(http: httpx.AsyncClient) -> httpx.Response:
    return await http.get(f"/fapi/v3/positionRisk?{signed(1)}")


async def test_paths_weights_and_order_counts(exchange: RunningExchange) -> None:
    async with client(exchange.components["gateway"]) as http:
        assert (await http.get("/fapi/v1/nothing")).status_code == 404
        assert (await http.put("/fapi/v1/order")).status_code == 404
        before = int((await http.get("/fapi/v1/ping")).headers["x-mbx-used-weight-1m"])
        reply = await http.get("/fapi/v1/depth?symbol=BTCUSDT&limit=500")
        assert int(reply.headers["x-mbx-used-weight-1m"]) in (before + 10, 10)
        order = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001"
        placed = await http.post("/fapi/v1/order", content=signed(1, order))
        assert placed.json()["status"] == "FILLED"
        assert int(placed.headers["x-mbx-order-count-10s"]) >= 1
        assert int(placed.headers["x-mbx-order-count-1m"]) >= 1
        too_large = await http.post("/fapi/v1/order", content=b"a" * 200_000)
        assert too_large.status_code == 413


@pytest.mark.parametrize("path", ["v1/order", "v1/openOrders", "v3/account", "v1/userTrades"])
async def test_nothing_private_is_told_without_a_signature(exchange: RunningExchange, path: str) -> None:
    async with client(exchange.components["gateway"]) as http:
        for query in ("", f"?timestamp={int(time() * 1000)}&signature={'0' * 64}"):
            assert (await http.get(f"/fapi/{path}{query}")).json()["code"] in (-1102, -1022)


async def test_too_small_a_pool_is_the_bottleneck_and_the_metrics_say_so(exchange: RunningExchange) -> None:
    """One connection, held 2 ms per read: at most 500 reads a second, while the workers mostly wait for it."""
    gateway = exchange.start_gateway("small_pool", "--db-pool=1", "--backend-timeout=60s")
    async with client(gateway) as http:
        await positions(http)
        before = gateway.metrics()
        replies = await asyncio.gather(*(positions(http) for _ in range(200)))
        after = gateway.metrics()
    assert {reply.status_code for reply in replies} == {200}
    delta = {name: after[name] - before.get(name, 0.0) for name in after}
    busy_s = delta['resource_busy_seconds_total{resource="db_pool"}']
    assert busy_s >= 200 * 0.002
    # How much they wait depends on how fast the client asks; that they do wait does not.
    assert delta['resource_wait_seconds_total{resource="db_pool"}'] > busy_s / 20
    held_s = delta['resource_busy_seconds_total{resource="workers"}']
    assert delta['resource_blocked_seconds_total{on="db_pool",resource="workers"}'] == pytest.approx(held_s, rel=0.2)
    assert delta['resource_blocked_seconds_total{on="gateway->positions",resource="db_pool"}'] == pytest.approx(busy_s)


async def test_full_workers_shed_but_not_what_lowers_the_risk(exchange: RunningExchange) -> None:
    arguments = ("--workers=1", "--worker-queue=0", "--service-time=1s")
    gateway = exchange.start_gateway("no_workers", *arguments)
    async with client(gateway) as http:
        replies = await asyncio.gather(*(positions(http) for _ in range(3)))
        shed = [reply for reply in replies if reply.status_code == 503]
        assert [reply.json() for reply in shed] == [{"msg": "Service Unavailable."}] * 2
        first = asyncio.ensure_future(positions(http))
        await asyncio.sleep(0.1)
        cancel = await http.delete(f"/fapi/v1/order?{signed(1, 'symbol=BTCUSDT&orderId=999999999')}")
        assert cancel.json()["code"] == -2011
        assert (await first).status_code == 200
    metrics = gateway.metrics()
    assert metrics['resource_rejections_total{reason="full",resource="workers"}'] == 2


MARKET_ORDER = "symbol=ETHUSDT&side=BUY&type=MARKET&quantity=0.01"


@pytest.mark.parametrize(
    ("rule", "says"), [("reduce_only_exempt", "are exempt"), ("all_alike", "currently overloaded")]
)
async def test_orders_are_shed_by_the_rule_of_the_day(exchange: RunningExchange, rule: str, says: str) -> None:
    arguments = ("--workers=1", "--worker-queue=0", "--service-time=1s", "--db-pool=1", f"--overload={rule}")
    gateway = exchange.start_gateway(f"shed_{rule}", *arguments)
    async with client(gateway) as http:
        first = asyncio.ensure_future(positions(http))
        await asyncio.sleep(0.1)
        plain, reducing = await asyncio.gather(
            http.post("/fapi/v1/order", content=signed(1, MARKET_ORDER)),
            http.post("/fapi/v1/order", content=signed(1, f"{MARKET_ORDER}&reduceOnly=true")),
        )
        assert (plain.status_code, plain.json()["code"]) == (503, -1008)
        assert says in plain.json()["msg"]
        assert (reducing.status_code == 503) == (rule == "all_alike")
        await first


async def test_controlled_delay_sheds_what_waits_too_long_and_lets_what_lowers_the_risk_wait(
    exchange: RunningExchange,
) -> None:
    arguments = ("--workers=1", "--service-time=400ms", "--db-pool=1", "--shedding=codel", "--backend-timeout=10s")
    gateway = exchange.start_gateway("controlled", *arguments)
    async with client(gateway) as http:
        first = asyncio.ensure_future(positions(http))
        await asyncio.sleep(0.1)
        plain, reducing = await asyncio.gather(
            http.post("/fapi/v1/order", content=signed(1, MARKET_ORDER)),
            http.post("/fapi/v1/order", content=signed(1, f"{MARKET_ORDER}&reduceOnly=true")),
        )
        assert (plain.status_code, plain.json()["code"]) == (503, -1008)
        assert reducing.status_code != 503
        assert (await first).status_code == 200
    assert gateway.metrics()['resource_rejections_total{reason="codel",resource="workers"}'] == 1
    gateway.stop()


async def test_an_order_of_which_nothing_was_heard_is_executed_all_the_same(exchange: RunningExchange) -> None:
    slow = exchange.start(
        "sluggish", "engine", f"--positions=us=127.0.0.1:{exchange.components['positions'].port}",
        "--accounts=200", "--service-time=80ms",
    )  # fmt: skip
    exchange.wait_ready(slow)
    hasty = exchange.start_gateway(
        "hasty", "--backend-timeout=30ms", "--timeout-form=unknown_error", "--db-pool=1", engine=slow.port
    )
    patient = exchange.start_gateway("patient", "--backend-timeout=30s", "--db-pool=1", engine=slow.port)
    async with client(hasty) as http:
        reply = await http.post("/fapi/v1/order", content=signed(1, f"{MARKET_ORDER}&newClientOrderId=lost"))
        text = "Unknown error, please check your request or try again later."
        assert (reply.status_code, reply.json()) == (503, {"msg": text})
        read = await http.get(f"/fapi/v1/openOrders?{signed(1)}")  # by now the connection may have been given up
        assert read.json()["code"] in (-1001, -1007)
    async with client(patient) as http:
        query = "symbol=ETHUSDT&origClientOrderId=lost"
        assert (await http.get(f"/fapi/v1/order?{signed(1, query)}")).json()["status"] == "FILLED"
    slow.stop()


async def test_a_full_matching_queue_sheds_orders(exchange: RunningExchange) -> None:
    slow = exchange.start(
        "slow", "engine", f"--positions=us=127.0.0.1:{exchange.components['positions'].port}",
        "--accounts=200", "--service-time=100ms", "--queue-limit=5",
    )  # fmt: skip
    exchange.wait_ready(slow)
    gateway = exchange.start_gateway("before_slow", "--backend-timeout=10s", engine=slow.port)
    order = "symbol=ETHUSDT&side=BUY&type=MARKET&quantity=0.01"
    async with client(gateway) as http:
        orders = (http.post("/fapi/v1/order", content=signed(1, order)) for _ in range(30))
        replies = await asyncio.gather(*orders)
    codes = [reply.json().get("code") for reply in replies]
    assert codes.count(-1008) >= 10
    assert codes.count(None) >= 1
    metrics = slow.metrics()
    assert metrics['resource_rejections_total{reason="full",resource="queue"}'] >= codes.count(-1008)
    slow.stop()


async def test_every_request_ends_when_the_database_is_black_holed_and_the_gateway_mends(
    exchange: RunningExchange,
) -> None:
    async with relay_to(exchange.components["positions"].port) as relay:
        starting = asyncio.to_thread(
            exchange.start_gateway, "far", "--db-pool=2", "--backend-timeout=300ms", positions=relay.port
        )
        gateway = await starting
        async with client(gateway) as http:
            assert (await positions(http)).status_code == 200
            relay.black_hole()
            replies = await asyncio.gather(*(positions(http) for _ in range(20)))
            assert {(reply.status_code, reply.json()["code"]) for reply in replies} == {(503, -1007)}
            assert (await http.get("/fapi/v1/time")).status_code == 200
            relay.heal()
            for _ in range(100):
                if (await positions(http)).status_code == 200:
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("the gateway never recovered")
