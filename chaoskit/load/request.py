"""HTTP/1.1 requests as bytes, built once where they can be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
_OWN: Final = frozenset({"content-length", "transfer-encoding"})
_BODILESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request as bytes: `start`, then a Host line, then `rest`. Empty, `host_line` is that of the entry.

    `is_rpc` says that its answer is one of JSON-RPC, in which HTTP 200 may hold an error.
    `idempotent` says whether it may be sent again after a kept connection proved stale (RFC 9110 §9.2.2);
    `head_only` whether its answer has no body (HEAD).
    """

    start: bytes
    host_line: bytes
    rest: bytes
    idempotent: bool
    head_only: bool
    is_rpc: bool = False

    @classmethod
    def rpc(
        cls, target: str, method: str, params: object, headers: Mapping[str, str] | None = None
    ) -> "PreparedRequest":
        """Write down a JSON-RPC 2.0 call of `method`; its id is 1, for a connection carries one call at a time.

        It may be sent again like any POST: where a policy names that method.
        """
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        posted = cls.build("POST", target, {"content-type": "application/json", **(headers or {})}, body)
        return replace(posted, is_rpc=True)

    @classmethod
    def build(
        cls, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> "PreparedRequest":
        """Write the request down; its length is added where there is a body or the method calls for one.

        Raises:
            ValueError: a line break in method, target or headers, or a space in the target: the request would
                become another one; or a header about the length, which is the client's to write.
        """
        data = body.encode() if isinstance(body, str) else body
        lines: list[str] = []
        host_line = b""
        for name, value in (headers or {}).items():
            line = f"{name}: {value}\r\n"
            if line.count("\n") != 1 or line.count("\r") != 1:
                message = f"the header {name!r} of {method} {target} holds a line break"
                raise ValueError(message)
            lower = name.lower()
            if lower in _OWN:
                message = f"the client writes the header {name} itself; leave it out of {method} {target}"
                raise ValueError(message)
            if lower == "host":
                host_line = line.encode("latin-1")
            else:
                lines.append(line)
        if data or method not in _BODILESS:
            lines.append(f"content-length: {len(data)}\r\n")
        if " " in target or "\r" in target or "\n" in target or not method.isalpha():
            message = f"{method!r} {target!r} is not a method and a target; escape spaces as %20"
            raise ValueError(message)
        return cls(
            f"{method} {target} HTTP/1.1\r\n".encode(),
            host_line,
            "".join(lines).encode("latin-1") + b"\r\n" + data,
            idempotent=method in _IDEMPOTENT,
            head_only=method == "HEAD",
        )
