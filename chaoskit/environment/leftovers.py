"""What runs left behind whose runner was killed: found by label, removed without touching anything else."""

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from chaoskit import containers
from chaoskit.environment.control_group import ControlGroup, find_groups
from chaoskit.environment.docker import remains
from chaoskit.environment.docker.remains import Remnant
from chaoskit.environment.identity import Runner
from chaoskit.environment.labels import LabelledProcess, find_labelled, signal_all
from chaoskit.environment.workspace import FOLDER_PREFIX, Workspace, temporary_folder
from chaoskit.errors import ChaoskitError, RestoreFailed, SetupFailed

TERMINATE_TIMEOUT_S: Final = 5.0
KILL_TIMEOUT_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing of a run whose runner is gone: a process, a control group, a folder, or what is in a Docker engine."""

    run_id: str
    process: LabelledProcess | None = None
    folder: Path | None = None
    group: ControlGroup | None = None
    remnant: Remnant | None = None

    def __str__(self) -> str:
        if self.group:
            return f"control group of run {self.run_id}: {self.group.name}"
        return str(self.process or self.remnant or f"folder of run {self.run_id}: {self.folder}")


def find(temporary: Path | None = None) -> list[Leftover]:
    """Return what is left of dead runs, processes first; what does not say whose it is is passed over.

    Where no Docker engine answers, what lies in it cannot be seen.
    """
    untouchable = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    processes = [
        Leftover(found.label.run_id, process=found)
        for found in find_labelled()
        if _is_gone(found.label.runner) and found.process.pid not in untouchable
    ]
    folders = [
        Leftover(workspace.run_id, folder=workspace.folder)
        for workspace in map(Workspace, sorted((temporary or temporary_folder()).glob(f"{FOLDER_PREFIX}*")))
        if _is_gone(workspace.runner())
    ]
    groups = [Leftover(group.run_id, group=group) for group in find_groups() if _is_gone(group.runner)]
    return processes + groups + _in_engine() + folders


@dataclass(slots=True)
class Removal:
    """A sentence for each thing that was removed, and for each that could not be."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def noting(self, done: str) -> Iterator[None]:
        """Note `done`, or what came in its way."""
        try:
            yield
        except ChaoskitError as error:
            self.failed.append(str(error))
        else:
            self.done.append(done)


def remove(leftovers: list[Leftover]) -> Removal:
    """Stop the processes (SIGTERM, then SIGKILL), remove groups, what is in the engine, and folders; all are tried."""
    removal = Removal()
    processes = [leftover.process for leftover in leftovers if leftover.process]
    survivors = end_processes(processes, TERMINATE_TIMEOUT_S, KILL_TIMEOUT_S)
    removal.failed += [f"could not stop {found}; it does not react to SIGKILL" for found in survivors]
    removal.done += [f"stopped {found}" for found in processes if found not in survivors]
    _remove_from_engine([leftover.remnant for leftover in leftovers if leftover.remnant], removal)
    for leftover in leftovers:
        if leftover.group:
            with removal.noting(f"removed {leftover}"):
                if not leftover.group.remove():
                    raise RestoreFailed(f"could not remove {leftover}; something still runs in it")
        if leftover.folder:
            with removal.noting(f"removed {leftover}"):
                Workspace(leftover.folder).remove()
    return removal


def end_processes(
    processes: list[LabelledProcess], terminate_timeout_s: float, kill_timeout_s: float
) -> list[LabelledProcess]:
    """Send SIGTERM, wait, send SIGKILL to those that stay, wait; return those that are alive even then."""
    for number, timeout_s in ((signal.SIGTERM, terminate_timeout_s), (signal.SIGKILL, kill_timeout_s)):
        signal_all(processes, number)
        signal_all(processes, signal.SIGCONT)  # a paused process heeds SIGTERM only once it goes on
        deadline_s = time.monotonic() + timeout_s
        while (processes := [found for found in processes if _runs(found.process)]) and time.monotonic() < deadline_s:
            time.sleep(POLL_INTERVAL_S)
    return processes


def _in_engine() -> list[Leftover]:
    if not containers.answers():
        return []
    with contextlib.suppress(SetupFailed), contextlib.closing(containers.connect()) as client:
        with containers.saying("the Docker engine does not tell what is in it"):
            found = remains.find(client)
        return [Leftover(one.run_id, remnant=one) for one in found if _is_gone(Runner.parse(one.runner))]
    return []


def _remove_from_engine(remnants: list[Remnant], removal: Removal) -> None:
    if not remnants:
        return
    try:
        client = containers.connect()
    except SetupFailed as error:
        removal.failed += [f"could not remove {remnant}: {error}" for remnant in remnants]
        return
    with contextlib.closing(client):
        for remnant in remnants:
            with removal.noting(f"removed {remnant}"), containers.saying(f"could not remove {remnant}"):
                remnant.remove(client)


def _is_gone(runner: Runner | None) -> bool:
    return runner is not None and not runner.may_live()


def _runs(process: psutil.Process) -> bool:
    """Return whether it is still the same process and runs; a zombie, which only its parent can remove, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
