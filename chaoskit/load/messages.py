"""What a load process and its parent say to each other, one JSON line each.

Parent to child: `Setup`, then `go`, then `TakeOver` where another process was lost, `stop` for an early end. Child to
parent: `ready`, then records (`chaoskit.records`), then `done`. The end of either pipe: the other side is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from chaoskit.plan.share import Share

READY: Final = b'{"type":"ready"}\n'
DONE: Final = b'{"type":"done"}\n'
STOP: Final = b'{"type":"stop"}\n'


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


@dataclass(frozen=True, slots=True)
class TakeOver:
    """What a load process has to play beside its own share, now that another one is lost.

    `place` and `places` are its place among the processes that are left, 0 … places - 1: users of a closed model are
    dealt out over them anew.
    """

    shares: Sequence[Share]
    place: int
    places: int

    def encode(self) -> bytes:
        """Return the line."""
        return (
            orjson.dumps({"type": "take_over", "shares": self.shares, "place": self.place, "places": self.places})
            + b"\n"
        )

    @classmethod
    def decode(cls, line: bytes) -> "TakeOver":
        """Read the line.

        Raises:
            ValueError: it is not a take-over.
        """
        said = orjson.loads(line)
        if not isinstance(said, dict) or said.get("type") != "take_over":
            message = f"expected a take-over, got {line[:80]!r}"
            raise ValueError(message)
        return cls([Share(**share) for share in said["shares"]], int(said["place"]), int(said["places"]))
