"""What processes and the machine use: CPU seconds, memory, open files; read from /proc by psutil.

How long threads waited for a CPU is the second field of /proc/PID/task/*/schedstat, in nanoseconds (kernel
documentation, scheduler/sched-stats). It grows while others have the CPU, and while a control group's limit is spent.
"""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

from chaoskit.records import HostSample, UsageSample


@dataclass(slots=True)
class _Total:
    """A sum over processes that come and go; `lost` keeps it from falling when one leaves with its count."""

    value: float = 0.0
    lost: float = 0.0

    def raised(self, counted: float) -> float:
        """Return the total now that those who are left have `counted` together."""
        self.lost += max(0.0, self.value - self.lost - counted)
        self.value = counted + self.lost
        return self.value


@dataclass(slots=True)
class _Tree:
    """The processes of one source, and what they have spent and waited."""

    root: psutil.Process
    members: dict[int, psutil.Process]
    cpu_s: _Total
    cpu_wait_s: _Total


class UsageReader:
    """Reads the process tree of each source; `sources` maps a name (`gateway@east`, `proxy`) to its root's process id.

    A child that ends is counted by its parent, once that has waited for it (`children_user`, `children_system`), so its
    CPU seconds stay in the sum.
    """

    def __init__(self, sources: Mapping[str, int]) -> None:
        self._trees: dict[str, _Tree] = {}
        self.follow(sources)

    def follow(self, sources: Mapping[str, int]) -> None:
        """Read these process trees from now on; the CPU seconds of a source that was started again go on counting."""
        for source, process_id in sources.items():
            before = self._trees.get(source)
            if before is not None and before.root.pid == process_id:
                continue
            try:
                root = psutil.Process(process_id)
            except psutil.NoSuchProcess:
                continue  # it has died; the driver reports that
            spent, waited = (before.cpu_s.value, before.cpu_wait_s.value) if before else (0.0, 0.0)
            totals = (_Total(spent, spent), _Total(waited, waited))
            self._trees[source] = _Tree(root, {process_id: root}, *totals)

    def find_children(self) -> None:
        """Bring the trees up to date: one walk over all processes of the machine, so call it less often than `read`."""
        children = _children()
        for tree in self._trees.values():
            found = {tree.root.pid: tree.root}
            waiting = [tree.root.pid]
            while waiting:
                for child in children.get(waiting.pop(), ()):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        found[child] = tree.members.get(child) or psutil.Process(child)
                        waiting.append(child)
            tree.members = found

    def read(self, t_s: float) -> Iterator[UsageSample]:
        """Yield a sample for each source whose root lives.

        Memory is what each process has for itself, plus the largest shared part, counted once.
        """
        for source, tree in self._trees.items():
            cpu_s, private_bytes, shared_bytes, open_files = 0.0, 0, 0, 0
            cpu_wait_s: float | None = 0.0
            for process in tuple(tree.members.values()):
                try:
                    with process.oneshot():
                        times = process.cpu_times()
                        memory = process.memory_info()
                    open_files += _open_files(process.pid)
                    waited_s = _cpu_wait_s(process.pid)
                except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, PermissionError):
                    del tree.members[process.pid]
                    continue
                cpu_s += times.user + times.system + times.children_user + times.children_system
                cpu_wait_s = None if waited_s is None or cpu_wait_s is None else cpu_wait_s + waited_s
                private_bytes += memory.rss - memory.shared
                shared_bytes = max(shared_bytes, memory.shared)
            if tree.root.pid not in tree.members:
                continue
            waited_s = None if cpu_wait_s is None else tree.cpu_wait_s.raised(cpu_wait_s)
            used_bytes = private_bytes + shared_bytes
            yield UsageSample(t_s, source, tree.cpu_s.raised(cpu_s), used_bytes, open_files, waited_s)


def read_host(t_s: float) -> HostSample:
    """Return what the machine has spent so far: all but idle and waiting for disks; guests count as user already."""
    times = psutil.cpu_times()
    busy_s = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    return HostSample(t_s, busy_s, psutil.cpu_count() or 1, psutil.virtual_memory().available)


def _children() -> dict[int, list[int]]:
    """Return the process ids of each process's children, straight from /proc: a fifth of what psutil's walk costs."""
    children: dict[int, list[int]] = defaultdict(list)
    for process_id in psutil.pids():
        try:
            with open(f"/proc/{process_id}/stat", "rb") as stat:  # noqa: PTH123 - in a hot path
                _state, parent, *_ = stat.read().rpartition(b")")[2].split(maxsplit=2)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        children[int(parent)].append(process_id)
    return children


def _cpu_wait_s(process_id: int) -> float | None:
    """Return how long the living threads of a process have waited for a CPU; None where the kernel does not count."""
    folder = f"/proc/{process_id}/task"
    waited_ns = 0
    for thread in os.listdir(folder):  # noqa: PTH208 - in a hot path
        try:
            with open(f"{folder}/{thread}/schedstat", "rb") as counted:  # noqa: PTH123 - in a hot path
                _ran, waited, *_ = counted.read().split()
        except FileNotFoundError:
            if os.path.exists(f"{folder}/{thread}"):  # noqa: PTH110 - in a hot path
                return None
            continue  # it ended meanwhile
        except ProcessLookupError:
            continue
        waited_ns += int(waited)
    return waited_ns / 1e9


def _open_files(process_id: int) -> int:
    """Count file handles; Linux 6.2 and later say how many as the folder's size, which spares listing them."""
    folder = f"/proc/{process_id}/fd"
    return os.stat(folder).st_size or len(os.listdir(folder))  # noqa: PTH116, PTH208 - in a hot path
