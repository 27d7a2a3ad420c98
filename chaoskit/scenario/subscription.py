"""A stream of subscriptions: what a WebSocket is asked for, and what its messages say of themselves."""

from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema

from chaoskit.scenario.quantities import PositiveDuration
from chaoskit.scenario.strict import Strict

UNITS_S: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_JSON_TEXT: Final[dict[str, Any]] = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]}


def _texts(value: object) -> object:
    """Return one message or several as texts; a mapping is sent as JSON."""
    several = value if isinstance(value, list) else [value]
    return [orjson.dumps(one).decode() if isinstance(one, dict) else one for one in several]


Texts = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(_texts),
    WithJsonSchema({"anyOf": [*_JSON_TEXT["anyOf"], {"type": "array", "items": _JSON_TEXT}]}),
]


class Age(Strict):
    """Where a message (JSON) says when it was made: seconds, or parts of them, since 1970."""

    field: str = Field(min_length=1, max_length=256, examples=["data.E"])
    """The field's name; `data.E` is E within `data`."""
    unit: Literal["s", "ms", "us", "ns"] = "ms"


class Subscription(Strict):
    """A WebSocket that is opened, and listened to."""

    path: str = Field(pattern=r"^/[!-~]*$", max_length=4096, examples=["/ws"])
    """Path and query, beginning with `/`."""
    send: Texts = Field(
        default=[], max_length=64, examples=[{"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1}]
    )
    """What is sent once the connection stands: one message or several, each a text or a mapping (sent as JSON)."""
    expect: str = Field(default="", max_length=1024, examples=["depthUpdate"])
    """A text that is in every message which counts; confirmations and signs of life are then left out."""
    age: Age | None = None
    hold: PositiveDuration | None = Field(default=None, examples=["30s"])
    """How long a subscriber stays from its first message on; to the end of the run where this is left out."""
    headers: dict[str, str] = Field(default={})
    protocols: list[str] = Field(default=[], max_length=16, examples=[["graphql-transport-ws"]])
    """Subprotocols that are offered."""
