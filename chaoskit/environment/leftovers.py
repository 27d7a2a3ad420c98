"""What runs left behind whose runner was killed: found by label, removed without touching anything else."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from chaoskit.environment.labels import LabelledProcess, find_labelled, signal_all
from chaoskit.environment.workspace import FOLDER_PREFIX, Workspace, temporary_folder

TERMINATE_TIMEOUT_S: Final = 5.0
KILL_TIMEOUT_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Leftover:
    """One process or one temporary folder of a run whose runner is gone."""

    run_id: str
    process: LabelledProcess | None = None
    folder: Path | None = None

    def __str__(self) -> str:
        return str(self.process) if self.process else f"folder of run {self.run_id}: {self.folder}"


def find(temporary: Path | None = None) -> list[Leftover]:
    """Return what is left of dead runs, processes first; runs whose runner may be alive are passed over.

    A process whose run has no folder any more counts as left over only when it is an orphan.
    """
    folders = [path for path in (temporary or temporary_folder()).glob(f"{FOLDER_PREFIX}*") if path.is_dir()]
    runners = {workspace: workspace.runner() for workspace in map(Workspace, sorted(folders))}
    known = {workspace.run_id for workspace, runner in runners.items() if runner}
    dead = {workspace.run_id: workspace for workspace, runner in runners.items() if runner and not runner.may_live()}
    untouchable = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    labelled = [found for found in find_labelled() if found.process.pid not in untouchable]
    processes = [found for found in labelled if found.run_id in dead]
    processes += _orphans([found for found in labelled if found.run_id not in known])
    return [Leftover(found.run_id, process=found) for found in processes] + [
        Leftover(run_id, folder=workspace.folder) for run_id, workspace in dead.items()
    ]


def remove(leftovers: list[Leftover]) -> list[str]:
    """Stop the processes (SIGTERM, then SIGKILL) and delete the folders; return a sentence for each thing done."""
    processes = [leftover.process for leftover in leftovers if leftover.process]
    survivors = end_processes(processes, TERMINATE_TIMEOUT_S, KILL_TIMEOUT_S)
    done = [
        f"could not stop {found}; it does not react to SIGKILL" if found in survivors else f"stopped {found}"
        for found in processes
    ]
    for leftover in leftovers:
        if leftover.folder:
            Workspace(leftover.folder).remove()
            done.append(f"removed {leftover}")
    return done


def end_processes(
    processes: list[LabelledProcess], terminate_timeout_s: float, kill_timeout_s: float
) -> list[LabelledProcess]:
    """Send SIGTERM, wait, send SIGKILL to those that stay, wait; return those that are alive even then."""
    for number, timeout_s in ((signal.SIGTERM, terminate_timeout_s), (signal.SIGKILL, kill_timeout_s)):
        signal_all(processes, number)
        deadline_s = time.monotonic() + timeout_s
        while (processes := [found for found in processes if _runs(found.process)]) and time.monotonic() < deadline_s:
            time.sleep(POLL_INTERVAL_S)
    return processes


def _orphans(found: list[LabelledProcess]) -> list[LabelledProcess]:
    """Keep processes that init has adopted, and their descendants: nobody that started them is left."""
    ids = {labelled.process.pid for labelled in found}
    kept = []
    for labelled in found:
        try:
            chain = [labelled.process, *labelled.process.parents()]
            eldest = next(process for process in reversed(chain) if process.pid in ids)
            if eldest.ppid() == 1:
                kept.append(labelled)
        except psutil.NoSuchProcess:
            continue
    return kept


def _runs(process: psutil.Process) -> bool:
    """Return whether it is still the same process and runs; a zombie, which only its parent can remove, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
