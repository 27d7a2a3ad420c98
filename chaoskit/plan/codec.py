"""A plan to and from canonical JSON: sorted keys, so that equal plans are equal bytes."""

from typing import Final

import orjson
from pydantic import TypeAdapter, ValidationError

from chaoskit.plan.model import Plan

_PLAN: Final[TypeAdapter[Plan]] = TypeAdapter(Plan)


def encode(plan: Plan) -> bytes:
    """Return the plan as JSON with sorted keys and a newline at the end; equal plans give equal bytes."""
    return orjson.dumps(plan, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def decode(content: bytes | str) -> Plan:
    """Return the plan of `encode`'s bytes.

    Raises:
        ValueError: the content is not a plan of this version of chaoskit.
    """
    try:
        return _PLAN.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = f"not a plan: {first['msg']} at {'.'.join(str(part) for part in first['loc']) or 'the start'}"
        raise ValueError(message) from error
