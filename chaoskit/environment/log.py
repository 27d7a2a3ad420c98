"""The log of an instance: its last lines, as sentences about its end quote them."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

TAIL_LINES: Final = 12
TAIL_BYTES: Final = 16_384


def tail(log: Path) -> tuple[str, ...]:
    """Return the last lines of a log, newest last; none where there is no log yet."""
    if not log.exists():
        return ()
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return tuple(deque((line for line in text.splitlines() if line.strip()), maxlen=TAIL_LINES))


def quoted(lines: Sequence[str]) -> str:
    """Return the last lines of an instance's log as the end of a sentence about it."""
    return "\n  ".join(("its last log lines:", *lines)) if lines else "it logged nothing"
