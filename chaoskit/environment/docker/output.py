"""What a container prints, copied into its log file as it comes, to the last line also after a crash."""

import threading
from collections import deque
from pathlib import Path
from typing import Final

from docker.models.containers import Container
from docker.types import CancellableStream

from chaoskit.environment.docker.engine import close_stream

TAIL_LINES: Final = 12
TAIL_BYTES: Final = 16_384


class Output:
    """One life of a container, from before its start to its end. Attach it first, so that no line is missed."""

    def __init__(self, container: Container, log: Path) -> None:
        self._stream: CancellableStream = container.attach(stream=True, stdout=True, stderr=True)
        self._log = log
        self._thread = threading.Thread(target=self._copy, name=f"output of {container.name}", daemon=True)
        self._thread.start()

    def end(self, timeout_s: float) -> None:
        """Wait until all is copied, which the container's end brings about; cut off what is not, after that time."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            close_stream(self._stream)
            self._thread.join(timeout_s)

    def _copy(self) -> None:
        with self._log.open("ab", buffering=0) as file:
            for chunk in self._stream:
                file.write(chunk)


def tail(log: Path) -> tuple[str, ...]:
    """Return the last lines of a log."""
    if not log.exists():
        return ()
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return tuple(deque((line for line in text.splitlines() if line.strip()), maxlen=TAIL_LINES))
