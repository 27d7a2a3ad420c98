"""A flow's client on a real connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from exchange.flows.client import Response

from tests.support.exchange import Component

ACCOUNTS = {"engine.accounts": 200}


@dataclass
class Drawn:
    """An arrival."""

    key: int
    index: int = 0
    settings: Mapping[str, object] = field(default_factory=lambda: ACCOUNTS)


@dataclass
class Answer:
    """A response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """A client on a real connection; `asked` is what it was asked to send, `statuses` what came."""

    def __init__(self, gateway: Component) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}", timeout=30, trust_env=False)
        self.asked: list[str] = []
        self.statuses: list[int] = []

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send it, and note it."""
        self.asked.append(f"{method} {target.partition('?')[0]}")
        response = self.http.request(method, target, headers=headers, content=body)
        self.statuses.append(response.status_code)
        return Answer(response.status_code, response.headers, response.content)

    def fail(self, reason: str) -> None:
        """No flow of the tests fails by itself."""
        raise AssertionError(reason)
