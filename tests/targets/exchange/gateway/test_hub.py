import orjson
from exchange.gateway.hub import Hub, text_frame
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri


class Subscriber:
    def __init__(self, *, combined: bool = False) -> None:
        self.combined = combined
        self.frames: list[bytes] = []

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)


def read(frame: bytes) -> object:
    """The JSON in a frame, as a client reads it."""
    client = ClientProtocol(parse_uri("ws://localhost"), state=State.OPEN)
    client.receive_data(frame)
    (event,) = client.events_received()
    assert isinstance(event, Frame)
    assert event.opcode is Opcode.TEXT
    return orjson.loads(event.data)


def test_a_stream_begins_with_its_first_subscriber_and_ends_with_its_last() -> None:
    seen: list[str] = []
    hub = Hub(lambda name: seen.append(f"+{name}"), lambda name: seen.append(f"-{name}"))
    one, other = Subscriber(), Subscriber()
    hub.subscribe(one, "a")
    hub.subscribe(one, "a")
    hub.subscribe(other, "a")
    hub.subscribe(other, "b")
    assert hub.subscriptions == 3
    hub.unsubscribe(one, "a")
    hub.unsubscribe(one, "a")
    hub.unsubscribe(one, "never")
    hub.unsubscribe(other, "a")
    hub.drop("b")
    hub.drop("b")
    assert seen == ["+a", "+b", "-a", "-b"]
    assert hub.subscriptions == 0


def test_a_message_is_framed_once_for_all_who_want_it_alike() -> None:
    hub = Hub(lambda _name: None, lambda _name: None)
    plain = [Subscriber() for _ in range(3)]
    combined = Subscriber(combined=True)
    for subscriber in (*plain, combined):
        hub.subscribe(subscriber, "btcusdt@trade")
    hub.publish("btcusdt@trade", b'{"e":"trade"}')
    hub.publish("nobody", b"{}")
    assert plain[0].frames[0] is plain[1].frames[0]
    assert plain[0].frames == [text_frame(b'{"e":"trade"}')]
    assert read(plain[0].frames[0]) == {"e": "trade"}
    assert read(combined.frames[0]) == {"stream": "btcusdt@trade", "data": {"e": "trade"}}
    assert hub.sent == 4
