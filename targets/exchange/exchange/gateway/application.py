"""The HTTP edge: one raw ASGI callable that admits, authenticates, dispatches and answers.

Order of checks, as the venue has it: rate limit, signature and time, order count, then a worker slot.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

from service.workers import NoWorker, Workers

from exchange.failures import TIMED_OUT, Refusal, internal_error, overloaded, unavailable, unknown_error
from exchange.gateway.call import Call, Parameters, parse
from exchange.gateway.engine_link import EngineLink
from exchange.gateway.limiter import OrderLimiter, WeightLimiter
from exchange.gateway.sessions import Sessions
from exchange.gateway.signing import Signatures, check_time, split_signature

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Call], Awaitable[bytes]]

LOG = logging.getLogger(__name__)
BODY_LIMIT_BYTES = 64 * 1024
CONTENT_TYPE = (b"content-type", b"application/json")
NOT_FOUND = Refusal(404, -1000, "An unknown error occurred while processing the request: no such path.")


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `weight` gives its cost from the parameters; `order` counts against the order limits.

    `keyed`: it wants an API key, but no signature.
    `session`: beside the signature it needs a session, where the gateway asks for one.
    `shed_last`: it lowers a trader's risk, so it may still wait where others are turned away.
    """

    handler: Handler
    weight: Callable[[Parameters], int]
    signed: bool = False
    keyed: bool = False
    order: bool = False
    session: bool = True
    shed_last: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The limiters, and what the weight is counted by: the client's address, or its API key."""

    weight: WeightLimiter
    orders: OrderLimiter
    by_account: bool = False


@dataclass(frozen=True, slots=True)
class Manners:
    """How the gateway behaves when what is behind it cannot follow.

    `backend_timeout_s` bounds every request, from its admission to its answer. `exempting`: what lowers a position's
    risk may still wait where others are turned away. `tells_nothing`: whoever sent an order that was not answered in
    time gets the 503 without a code, not -1007; either way it may have been executed.
    """

    backend_timeout_s: float
    exempting: bool = True
    tells_nothing: bool = False


class Application:
    """ASGI application of one gateway."""

    def __init__(
        self,
        routes: dict[tuple[str, str], Route],
        limits: Limits,
        workers: Workers,
        engine: EngineLink,
        manners: Manners,
        sessions: Sessions | None = None,
    ) -> None:
        self._routes = routes
        self._limits = limits
        self._workers = workers
        self._engine = engine
        self._manners = manners
        self._sessions = sessions
        self._signatures = Signatures()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"this application speaks HTTP only, not {scope['type']}")
        headers = [CONTENT_TYPE]
        try:
            status, body = 200, await self._answer(scope, receive, headers)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        except Exception:  # the last line of the edge: a client gets an answer, the log gets the traceback
            LOG.exception("%s %s failed", scope["method"], scope["path"])
            status, body = 500, internal_error().body
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive, headers: list[tuple[bytes, bytes]]) -> bytes:
        query = scope["query_string"]
        body = b"" if scope["method"] == "GET" else await _read(receive)
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            raise NOT_FOUND
        parameters = parse(query + b"&" + body if body and query else query or body)
        key = _header(scope, b"x-mbx-apikey")
        now_s = time()
        self._admit(scope, route, parameters, key, headers, now_s)
        call = Call(parameters, monotonic() + self._manners.backend_timeout_s, headers=headers)
        if (route.signed or route.keyed) and not self._engine.accounts:
            raise internal_error()  # the engine has not yet said which accounts there are
        if route.keyed:
            call.account = self._signatures.owner(key, self._engine.accounts)
        if route.signed:
            payload, signature = split_signature(query, body)
            call.account = self._signatures.account(key, payload, signature, self._engine.accounts)
            call.stale_ms = check_time(parameters, int(now_s * 1000))
            if self._sessions is not None:
                call.token = (_header(scope, b"x-session-token") or b"").decode("ascii", "replace")
        if route.order:
            ten_s, one_minute = self._limits.orders.admit(call.account, now_s)
            headers.append((b"x-mbx-order-count-10s", b"%d" % ten_s))
            headers.append((b"x-mbx-order-count-1m", b"%d" % one_minute))
        return await self._work(route, call)

    def _admit(
        self,
        scope: Scope,
        route: Route,
        parameters: Parameters,
        key: bytes | None,
        headers: list[tuple[bytes, bytes]],
        now_s: float,
    ) -> None:
        """Spend the request's weight, or refuse with the time to wait."""
        client = key or b"none" if self._limits.by_account else scope["client"][0].encode()
        limiter = self._limits.weight
        try:
            used = limiter.admit(client, route.weight(parameters), now_s)
        except Refusal:
            headers.append((b"retry-after", b"%d" % limiter.retry_after_s(client, now_s)))
            headers.append((limiter.header, b"%d" % limiter.used(client)))
            raise
        headers.append((limiter.header, b"%d" % used))

    async def _work(self, route: Route, call: Call) -> bytes:
        """Handle the call in a worker slot."""
        workers, manners = self._workers, self._manners
        shed_last = manners.exempting and (route.shed_last or _lowers_risk(call.parameters))
        try:
            held = await workers.acquire(call.deadline_s, workers.reserve if shed_last else 0)
        except NoWorker:
            raise overloaded(exempting=manners.exempting) if route.order else unavailable() from None
        try:
            if self._sessions is not None and route.signed and route.session:
                await self._sessions.check(call)
            return await route.handler(call)
        except Refusal as refusal:
            if route.order and manners.tells_nothing and refusal.code == TIMED_OUT:
                raise unknown_error() from refusal
            raise
        finally:
            rest_s = workers.release(held, call.blocked_s)
            if rest_s:
                await workers.rest(rest_s)


def _lowers_risk(parameters: Parameters) -> bool:
    return parameters.get(b"reduceOnly") == b"true" or parameters.get(b"closePosition") == b"true"


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def _read(receive: Receive) -> bytes:
    """The whole request body; raises `Refusal` -1130 where it is larger than any order could be."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            raise Refusal(413, -1130, "The request body is too large.")
    return body
