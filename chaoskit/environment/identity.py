"""Which process plays a run, so that it can be told for certain when it is gone."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_START_TICKS_FIELD: Final = 19  # field 22 of /proc/PID/stat (proc(5)), counted after the command's closing bracket
_STATE_FIELD: Final = 0


@dataclass(frozen=True, slots=True)
class Runner:
    """The process that plays a run. A process id alone may be reused; with its start it is unique until the next boot.

    `start_ticks` counts clock ticks since boot; `namespace` tells apart the process ids of containers on one /tmp.
    """

    process_id: int
    start_ticks: int
    namespace: str

    @classmethod
    def current(cls) -> "Runner":
        """Return this process."""
        ticks = _start_ticks(os.getpid())
        assert ticks is not None
        return cls(os.getpid(), ticks, _namespace())

    @classmethod
    def parse(cls, text: str) -> "Runner | None":
        """Read what `str` wrote; None where it is anything else."""
        try:
            fields = json.loads(text)
            return cls(int(fields["process_id"]), int(fields["start_ticks"]), str(fields["namespace"]))
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def may_live(self) -> bool:
        """Return False only where the process is certainly gone; one in another container cannot be seen from here."""
        return self.namespace != _namespace() or _start_ticks(self.process_id) == self.start_ticks


def _start_ticks(process_id: int) -> int | None:
    """Return when a living process started; None for one that is gone or a zombie."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE_FIELD] in "ZX" else int(fields[_START_TICKS_FIELD])


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
