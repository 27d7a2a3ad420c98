"""What a load process and its parent say to each other, one JSON line each.

Parent to child: `Setup`, then `go`. Child to parent: `ready`, then records (`chaoskit.records`), then `done`. The end
of either pipe means that the other side is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

READY: Final = b'{"type":"ready"}\n'
DONE: Final = b'{"type":"done"}\n'


@dataclass(frozen=True, slots=True)
class Setup:
    """What a load process needs to know: `entries` maps the plan's entry links to HOST:PORT."""

    plan: str
    worker: int
    workers: int
    entries: Mapping[str, str]

    def encode(self) -> bytes:
        """Return the line."""
        return orjson.dumps(self) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Setup":
        """Read the line.

        Raises:
            ValueError: it is not a setup.
        """
        try:
            return cls(**orjson.loads(line))
        except TypeError as error:
            message = f"not a setup: {error}"
            raise ValueError(message) from error


def encode_go(zero_s: float) -> bytes:
    """Return the line that releases a load process; `zero_s` is the run's zero on the monotonic clock."""
    return orjson.dumps({"type": "go", "zero_s": zero_s}) + b"\n"


def decode_go(line: bytes) -> float:
    """Return the run's zero.

    Raises:
        ValueError: the line is not a release.
    """
    said = orjson.loads(line)
    if not isinstance(said, dict) or said.get("type") != "go":
        message = f"expected a release, got {line[:80]!r}"
        raise ValueError(message)
    return float(said["zero_s"])
