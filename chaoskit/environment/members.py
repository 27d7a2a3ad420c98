"""All processes of one instance: those that carry its label, and their descendants in whatever session they are."""

import contextlib
import signal
import time
from typing import Final

import psutil

from chaoskit.environment.labels import LabelledProcess, find_labelled, signal_all
from chaoskit.errors import FaultFailed
from chaoskit.records import InstanceState, Vitals

STAND_STILL_TIMEOUT_S: Final = 3.0
_LOOK_INTERVAL_S: Final = 0.005


def find(run_id: str, instance: str | None = None) -> list[LabelledProcess]:
    """Return the living processes of one instance of a run, of all instances where None."""
    return [
        found
        for found in find_labelled()
        if found.label.run_id == run_id and found.label.instance and instance in {None, found.label.instance}
    ]


def pause(run_id: str, instance: str) -> None:
    """Stop every process of the instance, and wait until each stands still; one that was just forked is stopped too.

    Raises:
        FaultFailed: one still runs after `STAND_STILL_TIMEOUT_S`.
    """
    deadline_s = time.monotonic() + STAND_STILL_TIMEOUT_S
    while moving := [one for one in find(run_id, instance) if not _stands_still(one.process)]:
        if time.monotonic() > deadline_s:
            raise FaultFailed(f"{instance} cannot be paused: {moving[0]} does not stop")
        signal_all(moving, signal.SIGSTOP)
        time.sleep(_LOOK_INTERVAL_S)


def resume(run_id: str, instance: str | None = None) -> None:
    """Let every process of one instance go on, of all where None; one that runs already does not notice."""
    signal_all(find(run_id, instance), signal.SIGCONT)


def look(root: int) -> Vitals:
    """Look at the tree of processes below `root`, itself included; the rest of `Vitals` is the caller's to know.

    Memory is what each process has for itself, plus the largest shared part, counted once.
    """
    cpu_s, private_bytes, shared_bytes, living, still = 0.0, 0, 0, 0, 0
    for process in _tree(root):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied), process.oneshot():
            status, times, memory = process.status(), process.cpu_times(), process.memory_info()
            if status == psutil.STATUS_ZOMBIE:
                continue
            living += 1
            still += status == psutil.STATUS_STOPPED
            cpu_s += times.user + times.system + times.children_user + times.children_system
            private_bytes += memory.rss - memory.shared
            shared_bytes = max(shared_bytes, memory.shared)
    state: InstanceState = "exited" if not living else "paused" if still == living else "running"
    return Vitals(state, living, cpu_s, private_bytes + shared_bytes)


def _tree(root: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _stands_still(process: psutil.Process) -> bool:
    """Return whether a process is stopped, or gone."""
    try:
        return process.status() in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return True
