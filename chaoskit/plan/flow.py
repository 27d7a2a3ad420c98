"""What one arrival of a stream does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class RpcCall:
    """A JSON-RPC 2.0 call; `params` is JSON."""

    method: str
    params: Any = ()


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One fixed request, as a flow written in YAML; with `rpc` its body is that call."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    rpc: RpcCall | None = None


@dataclass(frozen=True, slots=True)
class MessageAge:
    """Where a message says when it was made: `field` of its JSON (`data.E` within `data`), in units of `unit_s`."""

    field: str
    unit_s: float


@dataclass(frozen=True, slots=True)
class PlannedSubscription:
    """A WebSocket at `path`, over which the texts of `send` are sent. Messages that hold `expect` are measured.

    It lasts `hold_s` from its first message; None: until the plan's end. `protocols` are offered in the handshake.
    """

    path: str
    send: tuple[str, ...] = ()
    expect: str = ""
    hold_s: float | None = None
    age: MessageAge | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedFlow:
    """What one arrival does: a Python function (`module:function`), a fixed request, a subscription, or a locustfile's
    users.

    `search_path` is the folder from which `reference` is imported (a Python flow) or read (a locustfile).
    """

    kind: Literal["python", "request", "subscription", "locustfile"]
    reference: str = ""
    search_path: str = ""
    request: HttpRequest | None = None
    subscription: PlannedSubscription | None = None
