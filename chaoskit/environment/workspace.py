"""The temporary folder of one run, and the note in it that says which process plays the run."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chaoskit.environment.labels import RUN

FOLDER_PREFIX: Final = "chaoskit-"
RUNNER_FILE: Final = "runner.json"
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

    def may_live(self) -> bool:
        """Return False only where the process is certainly gone; one in another container cannot be seen from here."""
        return self.namespace != _namespace() or _start_ticks(self.process_id) == self.start_ticks


class Workspace:
    """`<temp>/chaoskit-<run id>/`: private folders of the instances, gone after the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_id = folder.name.removeprefix(FOLDER_PREFIX)

    @classmethod
    def create(cls, run_id: str, temporary: Path | None = None) -> "Workspace":
        """Make the folder, readable by this user only, and note this process in it as the runner."""
        workspace = cls((temporary or temporary_folder()) / f"{FOLDER_PREFIX}{run_id}")
        workspace.folder.mkdir(mode=0o700, parents=True)
        (workspace.folder / RUNNER_FILE).write_text(json.dumps(asdict(Runner.current())), encoding="utf-8")
        return workspace

    @property
    def label(self) -> Mapping[str, str]:
        """The environment that marks every child of the run, so that `chaoskit clean` finds what a crash leaves."""
        return {RUN: self.run_id}

    def runner(self) -> Runner | None:
        """Return who plays the run; None where the note is missing or torn."""
        try:
            return Runner(**json.loads((self.folder / RUNNER_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def instance_folder(self, instance: str) -> Path:
        """Return the private folder of one instance, made where it is missing."""
        folder = self.folder / instance
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def remove(self) -> None:
        """Delete the folder and all in it; nothing happens where it is gone already."""
        shutil.rmtree(self.folder, ignore_errors=False, onerror=_unless_gone)


def temporary_folder() -> Path:
    """Return where the temporary folders of all runs are."""
    return Path(tempfile.gettempdir())


def _unless_gone(_function: object, _path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


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
