"""Where a run comes from: enough to judge it and to repeat it, and no secrets."""

import platform
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import psutil

import chaoskit
from chaoskit.clock import utc_now
from chaoskit.plan.model import Plan

PACKAGES: Final = ("locust", "gevent", "httptools", "toxiproxy-python", "uvloop", "numpy", "pydantic", "psutil")
HIDDEN: Final = "***"
_SECRET_OPTION: Final = re.compile(r"(?i)((?:^|[\w.-]*)(?:password|passwd|secret|token|api[-_]?key)[\w-]*=).+")
_SECRET_FLAG: Final = re.compile(r"(?i)--?[\w-]*(?:password|passwd|secret|token|api-?key)[\w-]*")
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_GIT_TIMEOUT_S: Final = 5.0


def collect(plan: Plan, arguments: Sequence[str], directory: Path) -> dict[str, Any]:
    """Return the provenance of a run of `plan` that `arguments` (argv, program first) started in `directory`."""
    return {
        "chaoskit": chaoskit.__version__,
        "started_at": utc_now().isoformat(timespec="seconds"),
        "command": shlex.join(redact(arguments)),
        "scenario": plan.scenario,
        **({"variant": plan.variant} if plan.variant else {}),
        "seed": plan.seed,
        "target": plan.target,
        "driver": plan.driver,
        "settings": dict(plan.settings),
        "git": git_state(directory),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": {
            "cpu_model": _cpu_model(),
            "cpu_count": psutil.cpu_count() or 1,
            "memory_bytes": psutil.virtual_memory().total,
        },
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def redact(arguments: Sequence[str]) -> list[str]:
    """Return `arguments` with the values of secret options and the user part of URLs hidden."""
    shown: list[str] = []
    for index, argument in enumerate(arguments):
        if index and _SECRET_FLAG.fullmatch(arguments[index - 1]):
            shown.append(HIDDEN)
            continue
        shown.append(_USER_INFO.sub(HIDDEN, _SECRET_OPTION.sub(rf"\1{HIDDEN}", argument)))
    return shown


def git_state(directory: Path) -> Mapping[str, Any] | None:
    """Return the commit that is checked out in `directory` and whether files differ from it; None without a commit."""
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git(directory, "status", "--porcelain", "--untracked-files=no"))}


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(directory), *arguments],  # noqa: S607 - the git of the user's PATH is the one meant
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
