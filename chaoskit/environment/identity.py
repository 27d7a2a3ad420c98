"""Which process plays a run, so that it can be told for certain when it is gone."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_START_TICKS_FIELD: Final = 19  # field 22 of /proc/PID/stat (proc(5)), counted after the command's closing bracket
_STATE_FIELD: Final = 0
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_MACHINE: Final = Path("/etc/machine-id")  # machine-id(5); containers often have none


@dataclass(frozen=True, slots=True)
class Runner:
    """The process that plays a run. A process id alone may be reused; with its start and the boot it is unique.

    `start_ticks` counts clock ticks since boot; `namespace` tells apart the process ids of containers on one /tmp, and
    `boot` and `machine` those of machines that share a Docker engine (empty: not known, and of this very machine).
    """

    process_id: int
    start_ticks: int
    namespace: str
    boot: str = ""
    machine: str = ""

    @classmethod
    def current(cls) -> "Runner":
        """Return this process."""
        ticks = _start_ticks(os.getpid())
        assert ticks is not None
        return cls(os.getpid(), ticks, _namespace(), _read(_BOOT), _read(_MACHINE))

    @classmethod
    def parse(cls, text: str) -> "Runner | None":
        """Read what `str` wrote; None where it is anything else."""
        try:
            fields = json.loads(text)
            numbers = int(fields["process_id"]), int(fields["start_ticks"])
            return cls(*numbers, str(fields["namespace"]), str(fields.get("boot", "")), str(fields.get("machine", "")))
        except (ValueError, TypeError, KeyError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def may_live(self) -> bool:
        """Return False only where the process is certainly gone.

        One in another container, or on another machine that uses the same Docker engine, cannot be seen from here.
        """
        if self.boot and self.boot != _read(_BOOT):  # an earlier boot of this machine, or another machine
            return not self.machine or self.machine != _read(_MACHINE)
        return self.namespace != _namespace() or _start_ticks(self.process_id) == self.start_ticks


def _start_ticks(process_id: int) -> int | None:
    """Return when a living process started; None for one that is gone or a zombie."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE_FIELD] in "ZX" else int(fields[_START_TICKS_FIELD])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
