"""How everything that a run starts is recognised: environment variables that each child inherits.

A program may overwrite its environment as others see it (PostgreSQL's backends do), so the descendants of a labelled
process count as labelled too.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from chaoskit.environment.identity import Runner

RUN: Final = "CHAOSKIT_RUN"
RUNNER: Final = "CHAOSKIT_RUNNER"
INSTANCE: Final = "CHAOSKIT_INSTANCE"


@dataclass(frozen=True, slots=True)
class Label:
    """What a process says of itself. `instance` is empty for the run's own children (proxy, load)."""

    run_id: str
    runner: Runner | None
    instance: str


@dataclass(frozen=True, slots=True)
class LabelledProcess:
    """A living process of a run."""

    process: psutil.Process
    label: Label
    command: str

    def __str__(self) -> str:
        return f"process {self.process.pid} of run {self.label.run_id}: {self.command[:120]}"


def find_labelled() -> list[LabelledProcess]:
    """Return all living processes that can be seen and that carry a label or have an ancestor that does."""
    labels: dict[int, Label] = {}
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
            found.append(LabelledProcess(process, label, _command(process)))
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
    return {name: value for name, value in os.environ.items() if name in kept or name.startswith("LC_")}


def _own_label(process: psutil.Process) -> Label | None:
    environment = process.environ()
    if not environment.get(RUN):
        return None
    return Label(environment[RUN], Runner.parse(environment.get(RUNNER, "")), environment.get(INSTANCE, ""))


def _inherited_label(process_id: int, labels: Mapping[int, Label], parents: Mapping[int, int]) -> Label | None:
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
