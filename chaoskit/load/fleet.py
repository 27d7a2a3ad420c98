"""What a Locust master and its workers say to each other beside Locust's own messages, as its custom messages.

Worker to master: `HELLO` once it is there, then `CLOCK` to compare clocks. Master to worker: `SETUP`, which holds the
plan itself. From there on both sides exchange the lines of `chaoskit.load.messages` (`LINES`, several at a time), as
over the pipes of a process on this machine.

Between the master and its parent, which are on one machine, a line that is meant for one worker or comes from one
begins with its number: `3 {"type":"ready"}`. One that is lost hears nothing more; what its line says then (`gone`, and
`lost` with what became of its arrivals) is for the master.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from chaoskit.address import Address
from chaoskit.errors import SetupFailed

HELLO: Final = "chaoskit.hello"
CLOCK: Final = "chaoskit.clock"
SETUP: Final = "chaoskit.setup"
LINES: Final = "chaoskit.lines"

CLOCK_SAMPLES: Final = 25
NO_PLACE: Final = -1

Totals = Mapping[str, tuple[int, int]]
"""By stream how many arrivals there were, and how many of them failed."""


@dataclass(frozen=True, slots=True)
class MasterSetup:
    """What a Locust master needs to know: it listens for workers at `host` and `port` (0: a free one).

    `web` is where Locust's page is shown (HOST:PORT), `csv` the beginning of the paths of its CSV files; or empty.
    """

    plan: str
    workers: int
    entries: Mapping[str, str]
    host: str
    port: int
    web: str = ""
    csv: str = ""

    def encode(self) -> bytes:
        """Return the line."""
        return orjson.dumps(self) + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "MasterSetup":
        """Read the line."""
        return cls(**orjson.loads(line))


def encode_listening(port: int) -> bytes:
    """Return the line by which a master tells its parent where workers may connect."""
    return orjson.dumps({"type": "listening", "port": port}) + b"\n"


def decode_listening(line: bytes) -> int:
    """Return the port.

    Raises:
        ValueError: the line says something else.
    """
    said = orjson.loads(line or b"null")
    if not isinstance(said, dict) or said.get("type") != "listening":
        message = f"expected where the master listens, got {line[:80]!r}"
        raise ValueError(message)
    return int(said["port"])


def encode_gone(why: str) -> bytes:
    """Return the line that a master passes on in place of a worker that says nothing more."""
    return orjson.dumps({"type": "gone", "why": why}) + b"\n"


def decode_gone(line: bytes) -> str | None:
    """Return why a worker is gone; None where the line is one of its own."""
    return str(orjson.loads(line)["why"]) if line.startswith(b'{"type":"gone"') else None


def encode_lost(totals: Totals) -> bytes:
    """Return the line by which a run tells the master what became of all arrivals of a worker that is lost."""
    return orjson.dumps({"type": "lost", "totals": totals}) + b"\n"


def decode_lost(line: bytes) -> Totals | None:
    """Return those totals; None where the line is one for the worker."""
    if not line.startswith(b'{"type":"lost"'):
        return None
    return {stream: (requests, failures) for stream, (requests, failures) in orjson.loads(line)["totals"].items()}


def check_free(address: Address) -> None:
    """Say it in a sentence where an address cannot be listened at: Locust would end the process, or only log it.

    Raises:
        SetupFailed: it is in use, or not this machine's.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as error:
            message = f"the load generator cannot listen at {address}: {error.strerror}; choose another address"
            raise SetupFailed(message) from error


def numbered(worker: int, lines: bytes) -> bytes:
    """Return `lines` (whole ones) with the worker's number before each."""
    mark = b"%d " % worker
    return b"".join(mark + line for line in lines.splitlines(keepends=True))


def split_number(line: bytes) -> tuple[int, bytes]:
    """Return a line's worker and the line itself.

    Raises:
        ValueError: the line does not begin with a number.
    """
    mark, _, rest = line.partition(b" ")
    return int(mark), rest


@dataclass(frozen=True, slots=True)
class Offset:
    """How far another machine's monotonic clock is ahead of this one's, to within `error_s` either way."""

    ahead_s: float
    error_s: float

    @classmethod
    def measured(cls, samples: Iterator[tuple[float, float, float]]) -> "Offset":
        """Return the offset by the quickest of some questions: sent, read there, and answered, in seconds.

        The answer was read off somewhere between sending and answering, so its midpoint is wrong by half of that at
        most, however uneven the ways (D. L. Mills, Internet time synchronization: the Network Time Protocol, 1991).
        """
        sent_s, there_s, back_s = min(samples, key=lambda sample: sample[2] - sample[0])
        return cls(there_s - (sent_s + back_s) / 2, (back_s - sent_s) / 2)


def sampled(ask: Callable[[], tuple[float, float, float]]) -> Offset:
    """Return the offset by asking `CLOCK_SAMPLES` times."""
    return Offset.measured(ask() for _ in range(CLOCK_SAMPLES))
