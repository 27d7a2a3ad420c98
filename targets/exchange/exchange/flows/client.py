"""What the load generator lends to a flow."""

from collections.abc import Mapping
from typing import Any, Protocol


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
