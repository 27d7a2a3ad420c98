"""HTTP/1.1 requests as bytes, built once where they can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request but for its Host line, which belongs to the entry: `start + host line + rest` are its bytes.

    `idempotent` says whether it may be sent again after a kept connection proved stale (RFC 9110 §9.2.2);
    `head_only` whether its answer has no body (HEAD).
    """

    start: bytes
    rest: bytes
    idempotent: bool
    head_only: bool

    @classmethod
    def build(
        cls, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> "PreparedRequest":
        """Write the request down.

        `Content-Length` is added where there is a body or the method calls for one; a `Host` among `headers` is
        refused, because the entry decides it.

        Raises:
            ValueError: a line break in method, target or headers, or a space in the target: the request would
                become another one.
        """
        data = body.encode() if isinstance(body, str) else body
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()] if headers else []
        if data or method not in _BODILESS:
            lines.append(f"content-length: {len(data)}\r\n")
        head = "".join(lines)
        if head.count("\n") != len(lines) or head.count("\r") != len(lines):
            message = f"a header of {method} {target} holds a line break"
            raise ValueError(message)
        if " " in target or "\r" in target or "\n" in target or not method.isalpha():
            message = f"{method!r} {target!r} is not a method and a target; escape spaces as %20"
            raise ValueError(message)
        return cls(
            f"{method} {target} HTTP/1.1\r\n".encode(),
            head.encode("latin-1") + b"\r\n" + data,
            idempotent=method in _IDEMPOTENT,
            head_only=method == "HEAD",
        )
