"""What all flows share: what the load generator lends them, and signed requests of one account."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache
from time import time
from typing import Any, Protocol

from exchange.venue import api_key, api_secret

DEFAULT_ACCOUNTS = 10_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Response(Protocol):
    """An HTTP response: `headers` have lower-case names."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""

    @property
    def body(self) -> bytes:
        """The whole body."""


class Client(Protocol):
    """What the load generator lends to a flow."""

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one request and wait for its response; raises `ConnectionError` where none comes."""

    def fail(self, reason: str) -> None:
        """Count this arrival as failed for `reason`."""


class Arrival(Protocol):
    """One arrival of a stream: `key` is a seeded 32-bit number, `index` one that no other arrival has."""

    @property
    def index(self) -> int:
        """Its number within the stream."""

    @property
    def key(self) -> int:
        """What it draws its choices from."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The target's settings."""


class Trader:
    """One account's signed requests."""

    def __init__(self, client: Client, account: int) -> None:
        self._client = client
        self._read, self._form, self._prepared = _credentials(account)
        self.account = account

    def get(self, path: str, query: str = "") -> Response:
        """Ask for something."""
        return self._client.request("GET", f"{path}?{self._signed(query)}", self._read)

    def delete(self, path: str, query: str = "") -> Response:
        """Take something back."""
        return self._client.request("DELETE", f"{path}?{self._signed(query)}", self._read)

    def post(self, path: str, form: str = "") -> Response:
        """Send a form."""
        return self._client.request("POST", path, self._form, self._signed(form).encode())

    def _signed(self, parameters: str) -> str:
        payload = f"{parameters}{'&' if parameters else ''}recvWindow=5000&timestamp={int(time() * 1000)}"
        digest = self._prepared.copy()
        digest.update(payload.encode())
        return f"{payload}&signature={digest.hexdigest()}"


def trader_of(client: Client, arrival: Arrival) -> Trader:
    """The trader whose arrival this is."""
    return Trader(client, arrival.key % int(arrival.settings.get("engine.accounts", DEFAULT_ACCOUNTS)))


def spread(key: int) -> int:
    """`key` with its bits spread, so that choices made from it are independent of the account."""
    return key * 0x9E3779B1 & 0xFFFFFFFF


@cache
def _credentials(account: int) -> tuple[dict[str, str], dict[str, str], hmac.HMAC]:
    """Headers for a read and for a form, and the prepared HMAC of an account."""
    key = api_key(account)
    read = {"X-MBX-APIKEY": key}
    return read, read | FORM, hmac.new(api_secret(key).encode(), digestmod=hashlib.sha256)
