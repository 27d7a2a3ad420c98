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
class PlannedFlow:
    """What one arrival does: a Python function (`module:function`), a fixed request, or a locustfile's users.

    `search_path` is the folder from which `reference` is imported (a Python flow) or read (a locustfile).
    """

    kind: Literal["python", "request", "locustfile"]
    reference: str = ""
    search_path: str = ""
    request: HttpRequest | None = None
