"""Every error that chaoskit raises on purpose, as one tree.

    ChaoskitError
    ├── UsageError              what was asked cannot be done as asked
    │   └── InvalidFile         a scenario or target file has problems (all of them listed)
    ├── SetupFailed             a target, proxy or load generator did not come up
    ├── FaultFailed             a fault could not be applied or changed
    ├── RestoreFailed           a fault could not be lifted, or a link is not proven clean
    ├── StoreError              a run folder cannot be read or written
    └── Interrupted             somebody asked twice for the end, so a run was undone before it was reported

A message is a sentence that says what is wrong, where, and the mend. The command line maps each class to
one exit code (`chaoskit.cli.exit_codes`); nothing else does.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ChaoskitError(Exception):
    """Root of the tree; never raised itself."""


class UsageError(ChaoskitError):
    """What was asked cannot be done as asked; nothing was started."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem in a file: `file:line:column: what is wrong, and the mend`. Lines and columns count from 1.

    Line 0 means that `file` is no file but an option of the command line, which has no lines.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}"


class InvalidFile(UsageError):
    """A scenario or target file has problems; `problems` holds all of them, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SetupFailed(ChaoskitError):
    """A target, proxy or load generator did not come up; what had started was stopped again."""


class FaultFailed(ChaoskitError):
    """A fault could not be applied or changed."""


class RestoreFailed(ChaoskitError):
    """A fault could not be lifted, or a link is not proven clean afterwards."""


class StoreError(ChaoskitError):
    """A run folder is missing, incomplete or cannot be written."""


class Interrupted(ChaoskitError):
    """Somebody asked twice for the end, so a run was undone before it was reported; its records are kept."""
