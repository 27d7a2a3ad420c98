"""Who is logged in: sessions that a store outside the gateway keeps, and what the gateway remembers of them itself."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import orjson
from service.occupancy import Occupancy
from service.wall import wall_ms

from exchange.failures import Refusal, internal_error
from exchange.gateway.call import Call
from exchange.gateway.engine_link import Answer, EngineLink

AUTH_LINK = "gateway->auth"
STORE_WITHIN_S = 0.5  # how long a store may take
REMEMBERED = 200_000
CACHES = ("off", "until_expiry", "while_down")
"""What a gateway takes its own word for: nothing; sessions that last; also ended ones, while no store answers."""


@dataclass(frozen=True, slots=True)
class Session:
    """Whose it is, and its end (wall clock)."""

    account: int
    expires_ms: int


class Sessions:
    """Opens, renews and checks sessions of `ttl_s`; every store of `stores` gets each, and any may answer for it."""

    def __init__(self, stores: Sequence[EngineLink], ttl_s: float, cache: str, waited: Occupancy) -> None:
        self._stores = stores
        self._ttl_ms = int(ttl_s * 1000)
        self._cache = cache
        self._waited = waited
        self._known: OrderedDict[str, Session] = OrderedDict()

    async def open(self, call: Call) -> bytes:
        """`POST /sapi/v1/session`: the signature has proven who it is."""
        return await self._keep(call, secrets.token_hex(16))

    async def renew(self, call: Call) -> bytes:
        """`PUT /sapi/v1/session`: the session goes on for another `ttl_s`; raises `Refusal` where there is none."""
        await self.check(call)
        return await self._keep(call, call.token)

    async def check(self, call: Call) -> None:
        """Raise `Refusal` -1002 where the caller has no session, and -1001 where nobody can say."""
        known = self._known.get(call.token) if self._cache != "off" else None
        if known is None or known.expires_ms <= wall_ms():
            known = await self._look_up(call, known)
        if known is None or known.account != call.account:
            self._known.pop(call.token, None)
            raise Refusal(401, -1002, "You are not authorized to execute this request: log in.")

    async def _look_up(self, call: Call, known: Session | None) -> Session | None:
        if not call.token:
            return None
        bodies = await self._ask(call, ["get", call.token])
        found = next((body for body in bodies if body), None)
        if found is not None:
            return self._remember(call.token, Session(found["account"], found["expires"]))
        if bodies:
            return None
        if known is not None and self._cache == "while_down":
            return known
        raise internal_error()

    async def _keep(self, call: Call, token: str) -> bytes:
        session = Session(call.account, wall_ms() + self._ttl_ms)
        kept = await self._ask(call, ["put", token, session.account, session.expires_ms])
        vouched = self._cache == "while_down" and token in self._known
        if not kept and not vouched:
            raise internal_error()
        self._remember(token, session)
        return orjson.dumps({"token": token, "expiresAt": session.expires_ms, "ttl": self._ttl_ms})

    def _remember(self, token: str, session: Session) -> Session:
        if self._cache != "off":
            self._known[token] = session
            self._known.move_to_end(token)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return session

    async def _ask(self, call: Call, command: list[Any]) -> list[dict[str, Any]]:
        """What the stores say that answer in time: up to the first that knows something, or says that it is done."""
        started_s = monotonic()
        self._waited.enter(started_s)
        deadline_s = min(call.deadline_s, started_s + STORE_WITHIN_S)
        try:
            return await _first(command, [store.call(command, deadline_s) for store in self._stores])
        finally:
            now_s = monotonic()
            self._waited.leave(started_s, now_s)
            call.blocked_s += now_s - started_s


async def _first(command: list[Any], asked: list["asyncio.Future[Answer]"]) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    waiting = set(asked)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        results = [answer.result() for answer in done if answer.exception() is None]
        bodies += [orjson.loads(body) for status, body in results if status == 200]
        if any(bodies) or (bodies and command[0] == "put"):
            break
    for answer in waiting:
        answer.add_done_callback(asyncio.Future.exception)  # nobody waits for it any more
    return bodies
