"""Logging in, where the gateway asks for a session."""

import json
from dataclasses import dataclass
from time import time

from exchange.flows.client import Response

PATH = "/sapi/v1/session"
HEADER = "X-Session-Token"


@dataclass(frozen=True, slots=True)
class Session:
    """A token, its end, and from when on it is to be renewed (wall clock): half-way, as a DHCP lease is."""

    token: str
    renew_ms: int
    expires_ms: int

    @property
    def is_due(self) -> bool:
        """Whether it is to be renewed, if that is not too late."""
        return time() * 1000 >= self.renew_ms

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return time() * 1000 >= self.expires_ms


def session_of(response: Response) -> Session | None:
    """The session that a login or a renewal brought; None where it failed."""
    if response.status != 200:
        return None
    body = json.loads(response.body)
    return Session(body["token"], body["expiresAt"] - body["ttl"] // 2, body["expiresAt"])
