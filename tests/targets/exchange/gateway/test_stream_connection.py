"""WebSocket at the gateway: addresses, subscriptions, limits, and those who listen too slowly."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from exchange.gateway import stream_connection
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.feeds import FeedLimits, Feeds
from exchange.gateway.listen_keys import listen_key
from exchange.gateway.market import Market
from exchange.gateway.stream_connection import StreamConnection
from exchange.venue import api_key
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tests.support.ccxt_client import trader
from tests.support.exchange import Component, RunningExchange
from tests.support.relay import relay_to

WITHIN_S = 10.0


@pytest.fixture
def gateway(exchange: RunningExchange) -> Component:
    return exchange.components["gateway"]


def stream(gateway: Component, path: str) -> connect:
    return connect(f"ws://127.0.0.1:{gateway.port}{path}", proxy=None)


async def ask(socket: ClientConnection, method: str, *params: object, number: int = 1) -> dict[str, Any]:
    await socket.send(json.dumps({"method": method, "params": list(params), "id": number}))
    return await until(socket, lambda message: "id" in message)


async def until(socket: ClientConnection, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if wanted(message):
                return message


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("/ws", []),
        ("/ws/", []),
        ("/ws/7", []),
        ("/ws/btcusdt@markPrice@1s", ["btcusdt@markPrice@1s"]),
        ("/ws/btcusdt@trade/!forceOrder@arr", ["btcusdt@trade", "!forceOrder@arr"]),
        ("/stream?streams=btcusdt@trade/ethusdt@depth5", ["btcusdt@trade", "ethusdt@depth5"]),
        ("/stream", []),
        ("/public/ws/3", []),
        ("/market/stream?streams=solusdt@ticker", ["solusdt@ticker"]),
        (f"/private/ws?listenKey={listen_key(3)}", [listen_key(3)]),
        (f"/ws/{listen_key(3)}", [listen_key(3)]),
    ],
)
async def test_an_address_says_what_is_wanted(gateway: Component, path: str, listed: list[str]) -> None:
    async with stream(gateway, path) as socket:
        assert (await ask(socket, "LIST_SUBSCRIPTIONS")).get("result") == listed


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fapi/v1/ping", 404),
        ("/", 404),
        ("/ws/btcusdt@nothing", 400),
        (f"/ws/{listen_key(3)[:-1]}z", 400),
        ("/private/ws?listenKey=0", 400),
    ],
)
async def test_other_addresses_are_refused(gateway: Component, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with stream(gateway, path):
            pass
    assert refused.value.response.status_code == status
    assert b'"code":-' in refused.value.response.body


async def test_streams_can_be_joined_and_left(gateway: Component) -> None:
    async with stream(gateway, "/ws") as socket:
        assert await ask(socket, "SUBSCRIBE", "btcusdt@bookTicker", "!bookTicker", number=3) == {
            "result": None,
            "id": 3,
        }
        assert (await until(socket, lambda message: message["s"] == "ETHUSDT"))["e"] == "bookTicker"
        await ask(socket, "UNSUBSCRIBE", "!bookTicker", "never@had")
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@bookTicker"]
        for _ in range(5):
            assert json.loads(await socket.recv())["s"] == "BTCUSDT"


async def test_a_combined_address_names_the_stream_of_each_message(gateway: Component) -> None:
    async with stream(gateway, "/stream?streams=btcusdt@bookTicker") as socket:
        message = json.loads(await socket.recv())
        assert message["stream"] == "btcusdt@bookTicker"
        assert message["data"]["e"] == "bookTicker"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 3),
        ("[]", 1),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":5}', 1),
        ('{"method":"SUBSCRIBE","params":[5],"id":5}', 1),
        ('{"method":"SUBSCRIBE","params":["btcusdt@nothing"],"id":5}', 2),
        ('{"method":"SING","id":5}', 2),
    ],
)
async def test_what_makes_no_sense_is_told_and_forgiven(gateway: Component, text: str, code: int | None) -> None:
    async with stream(gateway, "/ws") as socket:
        await socket.send(text)
        reply = json.loads(await socket.recv())
        assert reply.get("error", {}).get("code") == code
        assert reply["id"] in (5, None)
        assert (await ask(socket, "LIST_SUBSCRIPTIONS"))["id"] == 1


async def test_who_asks_more_than_ten_times_a_second_is_shown_out(gateway: Component) -> None:
    before = gateway.metrics()['exchange_stream_drops_total{reason="flooding"}']
    async with stream(gateway, "/ws") as socket:
        for number in range(11):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, lambda _message: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert gateway.metrics()['exchange_stream_drops_total{reason="flooding"}'] == before + 1


async def test_no_more_may_listen_than_there_are_places(exchange: RunningExchange) -> None:
    small = await asyncio.to_thread(exchange.start_gateway, "two_places", "--db-pool=1", "--stream-connections=2")
    async with stream(small, "/ws"), stream(small, "/ws"):
        assert small.metrics()["exchange_stream_connections"] == 2
        with pytest.raises(InvalidStatus) as refused:
            async with stream(small, "/ws"):
                pass
        assert refused.value.response.status_code == 429
    async with asyncio.timeout(WITHIN_S), stream(small, "/ws"):
        pass


async def test_who_does_not_read_is_dropped_and_the_others_are_not(exchange: RunningExchange) -> None:
    """A listener with a small window that reads nothing, and one that reads, on the fullest streams there are."""
    strict = await asyncio.to_thread(exchange.start_gateway, "small_buffer", "--db-pool=1", "--stream-buffer=20000")
    path = "/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms/btcusdt@depth20@100ms/!bookTicker"
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", strict.port))
    deaf.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    client = trader(strict.port, 9)
    async with asyncio.timeout(4 * WITHIN_S), stream(strict, path) as reading:
        while not strict.metrics()['exchange_stream_drops_total{reason="slow"}']:
            await asyncio.to_thread(client.create_order, "BTC/USDT:USDT", "market", "buy", 0.001)
            for _ in range(10):
                await reading.recv()
        assert strict.metrics()["exchange_stream_connections"] == 1
        await until(reading, lambda message: message["data"]["e"] == "bookTicker")
    deaf.close()


async def test_a_listen_key_is_made_kept_and_ended(exchange: RunningExchange, gateway: Component) -> None:
    hasty = await asyncio.to_thread(exchange.start_gateway, "hasty_keys", "--db-pool=1", "--listen-key-life=2s")
    headers = {"X-MBX-APIKEY": api_key(31)}
    base_url = f"http://127.0.0.1:{hasty.port}/fapi/v1"
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as http:
        assert (await http.put("/listenKey")).json()["code"] == -1125
        key = (await http.post("/listenKey")).json()["listenKey"]
        assert (await http.post("/listenKey")).json()["listenKey"] == key
        assert (await http.put("/listenKey")).json() == {"listenKey": key}
        async with stream(hasty, f"/ws/{key}") as socket:
            told = await until(socket, lambda message: message["e"] == "listenKeyExpired")
            assert told["listenKey"] == key
        await http.post("/listenKey")
        assert (await http.delete("/listenKey")).json() == {}
        assert (await http.put("/listenKey")).json()["code"] == -1125
        assert (await http.post("/listenKey", headers={"X-MBX-APIKEY": "account-999999"})).json()["code"] == -2015


async def test_an_account_is_told_through_the_gateway_of_another_region(
    exchange: RunningExchange, gateway: Component
) -> None:
    """The order goes in here, and is heard of there, under a key that was made here."""
    there = await asyncio.to_thread(exchange.start_gateway, "there", "--db-pool=1")
    async with stream(there, f"/private/ws?listenKey={listen_key(32)}") as socket:
        await ask(socket, "LIST_SUBSCRIPTIONS")
        client = trader(gateway.port, 32)
        placed = await asyncio.to_thread(client.create_order, "BTC/USDT:USDT", "market", "buy", 0.001)
        filled = await until(socket, lambda message: message.get("o", {}).get("X") == "FILLED")
        assert str(filled["o"]["i"]) == placed["id"]


async def test_streams_go_on_when_the_engine_is_back(exchange: RunningExchange) -> None:
    """Topics that the engine was to tell of are told to the new connection, too."""
    async with relay_to(exchange.components["engine"].port) as relay:
        far = await asyncio.to_thread(
            exchange.start_gateway, "far_engine", "--db-pool=1", "--backend-timeout=300ms", engine=relay.port
        )
        near = trader(exchange.components["gateway"].port, 33)
        async with asyncio.timeout(2 * WITHIN_S), stream(far, "/ws/solusdt@trade") as socket:
            await ask(socket, "LIST_SUBSCRIPTIONS")
            relay.black_hole()
            client = httpx.AsyncClient(trust_env=False)
            reply = await client.get(f"http://127.0.0.1:{far.port}/fapi/v1/openInterest?symbol=SOLUSDT")
            assert reply.status_code == 503
            relay.heal()
            listening = asyncio.ensure_future(until(socket, lambda message: message.get("e") == "trade"))
            while not listening.done():
                await asyncio.to_thread(near.create_order, "SOL/USDT:USDT", "market", "buy", 1)
                await asyncio.wait([listening], timeout=0.2)
            assert (await listening)["s"] == "SOLUSDT"
            await client.aclose()


class Line(asyncio.Transport):
    """The other end of a connection, as far as it has been written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def frames(self) -> list[Frame]:
        """What a client has read since the last call."""
        self.client.receive_data(self.written)
        self.written = b""
        return [event for event in self.client.events_received() if isinstance(event, Frame)]

    def open(self, connection: StreamConnection) -> None:
        """Shake hands at `/ws`."""
        self.client = ClientProtocol(parse_uri("ws://localhost/ws"))
        connection.connection_made(self)
        self.client.send_request(self.client.connect())
        connection.data_received(b"".join(self.client.data_to_send()))
        assert self.frames() == []
        assert self.client.state is State.OPEN

    def say(self, connection: StreamConnection, text: bytes) -> dict[str, Any]:
        """Send a message; return the answer."""
        self.client.send_text(text)
        connection.data_received(b"".join(self.client.data_to_send()))
        (frame,) = self.frames()
        answer: dict[str, Any] = json.loads(bytes(frame.data))
        return answer


class Server:
    def __init__(self) -> None:
        self.connections: set[Any] = set()


@pytest.fixture
def feeds() -> Feeds:
    return Feeds(Market([]), EngineLink(("127.0.0.1", 1), 1.0), FeedLimits(10, 1_000, 60.0))


def test_a_connection_has_so_many_streams_and_no_more(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_connection, "MOST_STREAMS", 2)
    connection, line = StreamConnection(feeds, Server()), Line()
    line.open(connection)
    subscribe = b'{"method":"SUBSCRIBE","params":["btcusdt@trade","ethusdt@trade"],"id":1}'
    assert line.say(connection, subscribe)["result"] is None
    assert line.say(connection, subscribe)["result"] is None  # the same ones again
    more = line.say(connection, b'{"method":"SUBSCRIBE","params":["solusdt@trade"],"id":2}')
    assert more["error"]["code"] == 4
    assert feeds.hub.subscriptions == 2
    connection.connection_lost(None)
    assert (feeds.hub.subscriptions, feeds.listeners) == (0, set())


def test_a_connection_is_pinged_and_ended_when_it_is_silent_or_old(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(stream_connection, "monotonic", lambda: now_s)
    connection, line, server = StreamConnection(feeds, Server()), Line(), Server()
    line.open(connection)
    now_s += stream_connection.PING_EVERY_S + 1
    connection.look_after()
    assert [frame.opcode for frame in line.frames()] == [Opcode.PING]
    connection.data_received(b"".join(line.client.data_to_send()))  # the pong
    now_s += stream_connection.PONG_WITHIN_S - 1
    connection.look_after()
    assert line.ended == ""
    now_s += 2
    connection.look_after()
    assert (line.ended, feeds.dropped["silent"]) == ("aborted", 1)

    old, line = StreamConnection(feeds, server), Line()
    line.open(old)
    assert server.connections == {old}
    now_s += stream_connection.LIFE_S + 1
    old._heard_s = now_s
    old.look_after()
    (good_bye,) = line.frames()
    assert (line.ended, good_bye.opcode, Close.parse(good_bye.data).code) == ("closed", Opcode.CLOSE, 1001)


def test_a_message_in_parts_is_one_message(feeds: Feeds) -> None:
    connection, line = StreamConnection(feeds, Server()), Line()
    line.open(connection)
    line.client.send_text(b'{"method":"LIST_SUB', fin=False)
    line.client.send_continuation(b'SCRIPTIONS","id":9}', fin=True)
    for data in line.client.data_to_send():
        connection.data_received(data)
    (frame,) = line.frames()
    assert json.loads(bytes(frame.data)) == {"result": [], "id": 9}


def test_what_is_no_websocket_ends_the_connection(feeds: Feeds) -> None:
    connection, line = StreamConnection(feeds, Server()), Line()
    line.open(connection)
    connection.data_received(b"\xff" * 20)
    assert [frame.opcode for frame in line.frames()] == [Opcode.CLOSE]
    assert line.ended == "closed"
