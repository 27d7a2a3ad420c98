"""Control groups: CPU and memory limits for all processes of an instance together, by cgroups version 2 or 1.

An instance is started inside its group, so that every process of it and all memory that it takes are counted. The name
of a group says which run it belongs to and who plays that, so that what a killed run left can be told and removed.
Files and units are those of the kernel's documentation, admin-guide/cgroup-v2.rst and cgroup-v1/.
"""

import contextlib
import errno
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaoskit.environment.identity import Runner
from chaoskit.errors import FaultFailed, SetupFailed

PERIOD_US: Final = 100_000
PREFIX: Final = "chaoskit-"
REMOVE_TIMEOUT_S: Final = 2.0
_CONTROLLERS: Final = ("cpu", "memory")
_NAME: Final = re.compile(rf"{PREFIX}(?P<run>.+)-(?P<process>\d+)-(?P<ticks>\d+)-(?P<namespace>\d+)\..+")
_ENTER: Final = 'for group do [ "$group" = -- ] && break; echo $$ > "$group" || exit 97; shift; done; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The group of one instance: its folders, by controller, which are one and the same in version 2."""

    name: str
    version: int
    folders: tuple[Path, Path]

    @classmethod
    def create(cls, run_id: str, runner: Runner, instance: str) -> "ControlGroup":
        """Make the group, empty and without limits.

        Raises:
            SetupFailed: control groups cannot be made here; says why and what to do.
        """
        number = re.sub(r"\D", "", runner.namespace)
        name = f"{PREFIX}{run_id}-{runner.process_id}-{runner.start_ticks}-{number}.{instance}"
        reasons = []
        for version, parents in _places():
            folders = (parents[0] / name, parents[1] / name)
            group = cls(name, version, folders)
            try:
                _make(version, folders)
                subprocess.run(group.entering(["true"]), check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                group.remove()
                reasons.append(
                    f"{parents[0]}: {getattr(error, 'strerror', None) or 'no process may enter a new group'}"
                )
            else:
                return group
        why = reasons[0] if reasons else "no cgroups with the controllers cpu and memory are mounted"
        message = f"{instance} cannot be limited as a process ({why})"
        raise SetupFailed(f"{message}; play it in containers (--driver docker), or run with writable control groups")

    @property
    def run_id(self) -> str:
        """The run that it belongs to."""
        match = _NAME.fullmatch(self.name)
        return match["run"] if match else ""

    @property
    def runner(self) -> Runner | None:
        """Who plays that run."""
        match = _NAME.fullmatch(self.name)
        return Runner(int(match["process"]), int(match["ticks"]), f"pid:[{match['namespace']}]") if match else None

    def entering(self, command: Sequence[str]) -> list[str]:
        """Return the command that enters the group and then becomes `command`, as the same process."""
        # The shell joins by itself: what it becomes is inside before its first instruction.
        groups = [str(folder / "cgroup.procs") for folder in dict.fromkeys(self.folders)]
        return ["/bin/sh", "-c", _ENTER, "sh", *groups, "--", *command]

    def limit(self, cores: float | None, memory_bytes: int | None) -> None:
        """Set both limits, None for no limit.

        Raises:
            FaultFailed: the kernel refuses; version 1 does where more memory is in use than it could take back.
        """
        quota_us = None if cores is None else max(1000, round(cores * PERIOD_US))
        cpu, memory = self.folders
        try:
            if self.version == 2:
                _write(cpu / "cpu.max", f"{'max' if quota_us is None else quota_us} {PERIOD_US}")
                _write(memory / "memory.max", "max" if memory_bytes is None else str(memory_bytes))
                _write(memory / "memory.swap.max", "max" if memory_bytes is None else "0", optional=True)
            else:
                _write(cpu / "cpu.cfs_period_us", str(PERIOD_US))
                _write(cpu / "cpu.cfs_quota_us", "-1" if quota_us is None else str(quota_us))
                _write(memory / "memory.limit_in_bytes", "-1" if memory_bytes is None else str(memory_bytes))
                if memory_bytes is not None:
                    _write(memory / "memory.max_usage_in_bytes", "0")
        except OSError as error:
            if error.errno == errno.EBUSY:
                message = "more memory is in use than that and cannot be taken back; set a higher limit"
                raise FaultFailed(f"the kernel refuses a memory limit of {memory_bytes} bytes: {message}") from error
            raise FaultFailed(f"the kernel refuses the limit: {error}") from error

    def oom_kills(self) -> int:
        """Return how many processes of the group its memory limit has killed."""
        file = self.folders[1] / ("memory.events" if self.version == 2 else "memory.oom_control")
        with contextlib.suppress(OSError):
            for line in file.read_text().splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
        return 0

    def peak_bytes(self) -> int | None:
        """Return the most memory that was in use since the limit was set, or in version 2 what is now (its high-water
        mark is that of the whole life); None where not known.
        """
        file = self.folders[1] / ("memory.current" if self.version == 2 else "memory.max_usage_in_bytes")
        try:
            return int(file.read_text())
        except (OSError, ValueError):
            return None

    def remove(self) -> bool:
        """Remove the group, whose processes have ended; return whether it is gone."""
        deadline_s = time.monotonic() + REMOVE_TIMEOUT_S
        while True:
            for folder in dict.fromkeys(self.folders):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            if not any(folder.exists() for folder in self.folders):
                return True
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.02)


def find_groups() -> list[ControlGroup]:
    """Return the groups of all runs that are in the places where this process would make its own."""
    found = {}
    for version, parents in _places():
        for parent in dict.fromkeys(parents):
            with contextlib.suppress(OSError):
                for folder in parent.glob(f"{PREFIX}*"):
                    group = ControlGroup(folder.name, version, (parents[0] / folder.name, parents[1] / folder.name))
                    if group.runner is not None:
                        found[group.folders] = group
    return list(found.values())


def _places() -> Iterator[tuple[int, tuple[Path, Path]]]:
    """Yield where groups may be made, the nearest to this process first: the version, and the folder per controller."""
    own = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own.update(dict.fromkeys(controllers.split(","), path))
    mounts: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            place, _, kind = line.partition(" - ")
            (_, _, _, root, point, *_), (form, _, options, *_) = place.split(), kind.split()
            names = [""] if form == "cgroup2" else options.split(",") if form == "cgroup" else []
            for name in names:
                inner = Path(own.get(name, "/"))
                below = inner.relative_to(root) if inner.is_relative_to(root) else Path()
                mounts[name] = [folder for folder in _upwards(Path(point), below) if folder.is_dir()]
    for folder in mounts.get("", ()):
        with contextlib.suppress(OSError):
            if set(_CONTROLLERS) <= set((folder / "cgroup.controllers").read_text().split()):
                yield 2, (folder, folder)
    if mounts.get("cpu") and mounts.get("memory"):
        yield 1, (mounts["cpu"][0], mounts["memory"][0])


def _upwards(point: Path, below: Path) -> list[Path]:
    return [point / part for part in (below, *below.parents)]


def _make(version: int, folders: tuple[Path, Path]) -> None:
    """Make the folders of a group; OSError where it cannot hold the limits."""
    if version == 2:
        control = folders[0].parent / "cgroup.subtree_control"
        if not set(_CONTROLLERS) <= set(control.read_text().split()):
            _write(control, " ".join(f"+{controller}" for controller in _CONTROLLERS))
    for folder in dict.fromkeys(folders):
        folder.mkdir()


def _write(file: Path, text: str, *, optional: bool = False) -> None:
    if optional and not file.exists():
        return
    file.write_text(text)
