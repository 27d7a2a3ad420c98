"""A result to and from `result.json`: canonical JSON, sorted keys, the same bytes for the same result."""

import json
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from chaoskit.analysis.result import Result
from chaoskit.errors import StoreError

_RESULT: Final[TypeAdapter[Result]] = TypeAdapter(Result)


def encode(result: Result) -> bytes:
    """Return `result` as indented JSON with sorted keys and a newline at the end."""
    document: Any = _RESULT.dump_python(result, mode="json")
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return text.encode() + b"\n"


def decode(document: bytes | str) -> Result:
    """Return the result that `encode` wrote.

    Raises:
        StoreError: the document is not a result of this version.
    """
    try:
        return _RESULT.validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the start"
        message = f"result.json does not fit version 1: {first['msg']} at {where}; analyse the run again"
        raise StoreError(message) from error
