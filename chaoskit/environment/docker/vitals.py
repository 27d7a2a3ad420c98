"""How a container is, in the engine's words and in ours. All calls block."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from docker.models.containers import Container

from chaoskit import containers
from chaoskit.environment import members
from chaoskit.records import InstanceState, Vitals

SIGNALS: Final = range(129, 160)
"""Exit codes by which a container says that a signal ended its program: 128 and the signal's number."""


def state_of(container: Container) -> Mapping[str, Any]:
    """Return the engine's description of the container's state, as it is now."""
    container.reload()
    state: Mapping[str, Any] = container.attrs["State"]
    return state


def exit_code(code: int) -> int:
    """Return how the program ended by the engine's exit code, negative where a signal did it."""
    return 128 - code if code in SIGNALS else code


def process_of(container: Container) -> int | None:
    """Return the process id of the container's first process, if it is a process of this machine; else None."""
    process_id = int(state_of(container)["Pid"])
    groups = Path(f"/proc/{process_id}/cgroup")
    try:
        ours = process_id > 0 and str(container.id) in groups.read_text(encoding="utf-8")
    except OSError:
        ours = False
    return process_id if ours else None


def look(container: Container, oom_kills: int) -> Vitals:
    """Look at the container once; `oom_kills` is what the engine has told of them so far.

    Its processes are counted where they can be seen from here; else the engine counts them, threads included.
    """
    process_id = process_of(container)
    state: Mapping[str, Any] = container.attrs["State"]
    code = exit_code(int(state["ExitCode"])) if state["Status"] == "exited" else None
    if not state["Running"]:
        ended: InstanceState = "oom_killed" if state["OOMKilled"] else "exited"
        return Vitals(ended, oom_kills=oom_kills, exit_code=code)
    seen = members.look(process_id) if process_id is not None else _counted(container)
    return replace(seen, state="paused" if state["Paused"] else "running", oom_kills=oom_kills, exit_code=code)


def _counted(container: Container) -> Vitals:
    used = containers.usage(container.client, str(container.id)) or containers.Usage(0.0, 0, 0)
    return Vitals("running", used.tasks, used.cpu_s, used.memory_bytes)
