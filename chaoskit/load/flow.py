"""What one arrival does: the contract of flows, and how a planned flow becomes a function.

A flow is a plain function of a target, which never imports chaoskit:

    def trade(client, arrival):
        order = {"price": 100 + arrival.key % 10, "id": arrival.index}
        answer = client.request("POST", "/order", {"content-type": "application/json"}, json.dumps(order).encode())
        if b"REJECTED" in answer.body:
            client.fail("rejected")

It is called once for each arrival and may make several requests one after the other; the arrival's clocks span all
of them. An answer of 400 or above marks the arrival failed (`status 503`), so does `client.fail`; the first reason
counts. Where no whole answer comes, `client.request` raises a `ConnectionError` that the flow need not catch.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chaoskit.errors import SetupFailed
from chaoskit.load.references import resolved
from chaoskit.load.request import PreparedRequest
from chaoskit.plan.flow import PlannedFlow, PlannedSubscription


class Response(Protocol):
    """One whole answer."""

    @property
    def status(self) -> int:
        """The status code, 200 … 599."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""

    @property
    def body(self) -> bytes:
        """The whole body, chunks put together."""


class Reply(Protocol):
    """What a JSON-RPC call brought."""

    @property
    def result(self) -> Any:  # noqa: ANN401 - JSON
        """The result; None where there is an error."""

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The error, with `code` and `message`; None where there is a result."""


class Arrival(Protocol):
    """One arrival of a stream, as its flow sees it."""

    @property
    def index(self) -> int:
        """A number that no other arrival of the stream has, over all load processes."""

    @property
    def key(self) -> int:
        """A drawn number, 0 … 2^32 - 1: which account, say. The same seed draws the same."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The target's settings by name."""

    @property
    def credentials(self) -> Mapping[str, str]:
        """The target's credentials by name."""


class Client(Protocol):
    """What a flow talks through: keep-alive HTTP/1.1 to the entry that the stream's routing chose."""

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> Response:
        """Send a request and return its answer; raises ConnectionError where no whole answer comes in time."""

    def call(self, method: str, params: object = (), target: str = "/") -> Reply:
        """Make a JSON-RPC 2.0 call; an error in its answer marks the arrival failed (`rpc -32005`), also in HTTP 200.

        Raises ConnectionError where no whole answer comes in time.
        """

    def fail(self, reason: str) -> None:
        """Count this arrival as failed for `reason`; the first reason counts."""


class PreparingClient(Client, Protocol):
    """A client that also sends what was written down before."""

    def exchange(self, prepared: PreparedRequest) -> Response:
        """Send `prepared` and return its answer; as `request` in all else."""


Flow = Callable[[PreparingClient, Arrival], object]


def load_flow(stream: str, planned: PlannedFlow) -> Flow:
    """Return the function of a `python` or `request` flow.

    Raises:
        SetupFailed: the function cannot be imported, or the request cannot be written down.
    """
    if planned.kind == "request":
        return _request_flow(stream, planned)
    if planned.subscription is not None:
        return _subscribe_flow(planned.subscription)
    module_name, _, function_name = planned.reference.partition(":")
    if planned.search_path and planned.search_path not in sys.path:
        sys.path.insert(0, planned.search_path)
    try:
        flow = getattr(importlib.import_module(module_name), function_name)
    except Exception as error:  # importing runs the target's own code: it can raise anything
        message = (
            f"the flow {planned.reference} of stream {stream} cannot be imported from "
            f"{planned.search_path or 'the Python path'}: {type(error).__name__}: {error}"
        )
        raise SetupFailed(message) from error
    if not callable(flow):
        message = f"the flow {planned.reference} of stream {stream} is not a function"
        raise SetupFailed(message)
    function: Flow = flow
    return function


def _request_flow(stream: str, planned: PlannedFlow) -> Flow:
    if planned.request is None:
        message = f"the flow of stream {stream} is a request, but the plan holds none"
        raise SetupFailed(message)
    request = planned.request
    try:
        headers = resolved(request.headers, f"in stream {stream}, header", os.environ)
        if request.rpc is None:
            prepared = PreparedRequest.build(request.method, request.path, headers, request.body)
        else:
            prepared = PreparedRequest.rpc(request.path, request.rpc.method, request.rpc.params, headers)
    except ValueError as error:
        message = f"the request of stream {stream} cannot be sent: {error}"
        raise SetupFailed(message) from error

    def flow(client: PreparingClient, _arrival: Arrival) -> None:
        client.exchange(prepared)

    return flow


def _subscribe_flow(subscription: PlannedSubscription) -> Flow:
    handshake = PreparedRequest.build("GET", subscription.path)

    def flow(client: PreparingClient, _arrival: Arrival) -> None:
        client.exchange(handshake)  # which the stream's subscriber carries out (`chaoskit.load.subscription`)

    return flow
