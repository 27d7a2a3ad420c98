"""The temporary folder of one run, and the note in it that says which process plays the run."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chaoskit.environment.identity import Runner
from chaoskit.environment.labels import RUN, RUNNER
from chaoskit.errors import RestoreFailed

FOLDER_PREFIX: Final = "chaoskit-"
RUNNER_FILE: Final = "runner.json"
_REMOVALS: Final = 3
_REMOVAL_PAUSE_S: Final = 0.1


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
        (workspace.folder / RUNNER_FILE).write_text(str(Runner.current()), encoding="utf-8")
        return workspace

    @property
    def label(self) -> Mapping[str, str]:
        """The environment that marks every child of the run, so that `chaoskit clean` finds what a crash leaves."""
        return {RUN: self.run_id, RUNNER: str(self.runner())}

    def runner(self) -> Runner | None:
        """Return who plays the run; None where the note is missing or torn."""
        try:
            return Runner.parse((self.folder / RUNNER_FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return None

    def instance_folder(self, instance: str) -> Path:
        """Return the private folder of one instance, made where it is missing."""
        folder = self.folder / instance
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def remove(self) -> None:
        """Delete the folder and all in it; nothing happens where it is gone already.

        Raises:
            RestoreFailed: it cannot be deleted, not even when tried again (a process that ends may still write).
        """
        for attempt in range(_REMOVALS):
            try:
                shutil.rmtree(self.folder, ignore_errors=False, onerror=_unless_gone)
            except OSError as error:
                if attempt == _REMOVALS - 1:
                    message = f"the run's folder {self.folder} cannot be deleted ({error}); delete it by hand"
                    raise RestoreFailed(message) from error
                time.sleep(_REMOVAL_PAUSE_S)
            else:
                return


def temporary_folder() -> Path:
    """Return where the temporary folders of all runs are."""
    return Path(tempfile.gettempdir())


def _unless_gone(_function: object, _path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]
