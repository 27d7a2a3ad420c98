"""The one place that maps verdicts and errors to exit codes."""

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from chaoskit.errors import (
    ChaoskitError,
    FaultFailed,
    Interrupted,
    RestoreFailed,
    SetupFailed,
    StoreError,
    UsageError,
)

if TYPE_CHECKING:
    from chaoskit.analysis.result import Verdict


class ExitCode(IntEnum):
    """What the process tells its caller; CI may rely on every one of them."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    ABORTED = 4
    SETUP_FAILED = 5
    NOT_RESTORED = 6
    INTERNAL_ERROR = 70


_GRAVITY: Final = (
    ExitCode.PASS,
    ExitCode.INCONCLUSIVE,
    ExitCode.FAIL,
    ExitCode.USAGE,
    ExitCode.ABORTED,
    ExitCode.SETUP_FAILED,
    ExitCode.NOT_RESTORED,
    ExitCode.INTERNAL_ERROR,
)
_ERRORS: Final[tuple[tuple[type[ChaoskitError], ExitCode], ...]] = (
    (UsageError, ExitCode.USAGE),
    (StoreError, ExitCode.USAGE),
    (SetupFailed, ExitCode.SETUP_FAILED),
    (FaultFailed, ExitCode.INCONCLUSIVE),
    (RestoreFailed, ExitCode.NOT_RESTORED),
    (Interrupted, ExitCode.ABORTED),
)


def of_verdict(verdict: "Verdict") -> ExitCode:
    """Return the code of a run that was played to its end and analysed."""
    return ExitCode[verdict.name]


def worst(codes: Iterable[int]) -> ExitCode:
    """Return the gravest of `codes`: not restored, set-up failed, aborted, fail, inconclusive, pass."""
    return ExitCode(max(codes, key=_GRAVITY.index, default=ExitCode.PASS))


def of_error(error: ChaoskitError) -> ExitCode:
    """Return the code of an error of the tree."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), ExitCode.INTERNAL_ERROR)
