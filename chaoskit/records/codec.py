"""Records to and from JSON lines."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from chaoskit.records.model import AnyRecord, Record

_RECORD: Final[TypeAdapter[Record]] = TypeAdapter(AnyRecord)


def encode(record: Record) -> bytes:
    """Return `record` as one JSON line, newline included."""
    return _RECORD.dump_json(record, exclude_defaults=False) + b"\n"


def decode(line: bytes | str) -> Record:
    """Return the record of one JSON line.

    Raises:
        ValueError: the line is not one whole record (a run that was killed may end in half a line).
    """
    try:
        return _RECORD.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        message = f"not a record: {first['msg']} at {'.'.join(str(part) for part in first['loc']) or 'the start'}"
        raise ValueError(message) from error
