"""Why an answer counts as a failure: its HTTP status, an error code in its body, a JSON-RPC error inside HTTP 200."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from chaoskit.load.answer import FIRST_ERROR_STATUS, Answer
from chaoskit.load.request import PreparedRequest

RPC: Final = "rpc "
_LONGEST_CODE: Final = 40


@dataclass(frozen=True, slots=True)
class Reply:
    """What a JSON-RPC call brought: its `result`, or the `error` (`code`, `message`, …) in place of one."""

    result: Any = None
    error: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, body: bytes) -> "Reply":
        """Read a reply; what is none has neither result nor error."""
        try:
            said = orjson.loads(body)
        except ValueError:
            return cls()
        if not isinstance(said, dict):
            return cls()
        error = said.get("error")
        return cls(said.get("result"), error if isinstance(error, dict) else None)


def failure_of(prepared: PreparedRequest, answer: Answer, error_code: str | None = None) -> str | None:
    """Return the word under which `answer` to `prepared` is counted as failed; None where it went well.

    `status 503`, or `status 503 code -1008` where the field `error_code` of its JSON body says so; of a JSON-RPC call
    `rpc -32005`, or `rpc bad answer` for what is none (JSON-RPC 2.0, sections 5 and 5.1). Of a batch the first error
    counts.
    """
    if answer.status >= FIRST_ERROR_STATUS:
        word = f"status {answer.status}"
        code = None if error_code is None else _code(answer.body, error_code)
        return word if code is None else f"{word} code {code}"
    if not prepared.is_rpc or (b'"result"' in answer.body and b'"error"' not in answer.body):
        return None  # what was asked for, without a look inside: a result may be large
    return rpc_failure(answer.body)


def _code(body: bytes, field: str) -> str | None:
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    value = found.get(field) if isinstance(found, dict) else None
    return str(value)[:_LONGEST_CODE] if isinstance(value, int | str) else None


def rpc_failure(body: bytes) -> str | None:
    """Return the word for the first error in a JSON-RPC reply or batch of them; None where it has none."""
    bad = f"{RPC}bad answer"
    try:
        said = orjson.loads(body)
    except ValueError:
        return bad
    replies = said if isinstance(said, list) else [said]
    if not replies or not all(isinstance(reply, dict) for reply in replies):
        return bad
    for reply in replies:
        if (error := reply.get("error")) is not None:
            return f"{RPC}{error.get('code')}" if isinstance(error, dict) and "code" in error else bad
        if "result" not in reply:
            return bad
    return None
