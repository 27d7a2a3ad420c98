"""What a container prints, copied into its log file as it comes, to the last line also after a crash."""

import threading
from collections.abc import Iterable
from pathlib import Path

from docker.models.containers import Container

from chaoskit.environment.docker.answer import LongAnswer


class Output:
    """One life of a container, from before its start to its end. Attach it first, so that no line is missed.

    For a container that somebody else has started, `from_start` reads what it has said already, too.
    """

    def __init__(self, container: Container, log: Path, *, from_start: bool = False) -> None:
        self._answer = LongAnswer()
        api = self._answer.client.api
        read = api.logs if from_start else api.attach
        attached = read(container.id, stream=True, stdout=True, stderr=True, **({"follow": True} if from_start else {}))
        self._thread = threading.Thread(
            target=self._copy, args=(attached, log), name=f"output of {container.name}", daemon=True
        )
        self._thread.start()

    def end(self, timeout_s: float) -> None:
        """Wait until all is copied, which the container's end brings about; cut off what is not, after that time."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._answer.cut()
            self._thread.join(timeout_s)

    def _copy(self, attached: Iterable[bytes], log: Path) -> None:
        with log.open("ab", buffering=0) as file:
            for chunk in attached:
                file.write(chunk)
        self._answer.close()
