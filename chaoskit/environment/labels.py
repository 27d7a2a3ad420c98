"""How everything that a run starts is recognised: two environment variables that each child inherits.

A program may overwrite its environment as others see it (PostgreSQL's backends do), so the descendants of a labelled
process count as labelled too.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

RUN: Final = "CHAOSKIT_RUN"
INSTANCE: Final = "CHAOSKIT_INSTANCE"


@dataclass(frozen=True, slots=True)
class LabelledProcess:
    """A living process of a run; `instance` is empty for the run's own children (proxy, load)."""

    process: psutil.Process
    run_id: str
    instance: str
    command: str

    def __str__(self) -> str:
        return f"process {self.process.pid} of run {self.run_id}: {self.command[:120]}"


def find_labelled() -> list[LabelledProcess]:
    """Return all living processes that can be seen and that carry a label or have an ancestor that does."""
    labels: dict[int, tuple[str, str]] = {}
    processes: dict[int, psutil.Process] = {}
    parents: dict[int, int] = {}
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            parents[process.pid] = process.ppid()
            processes[process.pid] = process
            if label := _own_label(process):
                labels[process.pid] = label
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    found = []
    for process_id, process in processes.items():
        if label := _inherited_label(process_id, labels, parents):
            found.append(LabelledProcess(process, *label, _command(process)))
    return found


def signal_all(found: Iterable[LabelledProcess], number: signal.Signals) -> None:
    """Send a signal to each process that is still the same one (psutil compares start times)."""
    for labelled in found:
        try:
            labelled.process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def minimal_environment() -> dict[str, str]:
    """Return the part of this process's environment that programs need to run at all, without its secrets."""
    kept = ("HOME", "LANG", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV")
    return {
        name: value for name, value in os.environ.items() if name in kept or name.startswith("LC_")
    }  # secrets that a target needs are named by its manifest


def _own_label(process: psutil.Process) -> tuple[str, str] | None:
    environment = process.environ()
    return (environment[RUN], environment.get(INSTANCE, "")) if environment.get(RUN) else None


def _inherited_label(
    process_id: int, labels: Mapping[int, tuple[str, str]], parents: Mapping[int, int]
) -> tuple[str, str] | None:
    while process_id not in labels:
        if process_id not in parents:
            return None
        process_id = parents[process_id]
    return labels[process_id]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return "(gone)"
