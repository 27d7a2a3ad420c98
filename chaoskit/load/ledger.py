"""Which arrivals each load process has to play and which of them it has handed up: what is lost with it is the rest."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from chaoskit.plan.arrivals import Schedule, schedule
from chaoskit.plan.model import Plan, PlannedStream
from chaoskit.plan.share import Share
from chaoskit.records import LOST, Completions, Histogram, SampleBatch

_SECOND_US = 1_000_000


class Ledger:
    """The shares of all load processes of a run, and their arrivals by stream and second as they are handed up."""

    def __init__(self, plan: Plan, workers: int, planned: Callable[[PlannedStream], Schedule] = schedule) -> None:
        self._plan = plan
        self._planned = planned
        self._shares = {worker: [Share(worker, workers)] for worker in range(workers)}
        self._handed_up: dict[int, Counter[tuple[str, int]]] = {worker: Counter() for worker in range(workers)}
        self._failed: dict[int, Counter[str]] = {worker: Counter() for worker in range(workers)}

    def add(self, batch: SampleBatch) -> None:
        """Count what a process has handed up."""
        failed = sum(batch.failed.values())
        self._handed_up[batch.worker][batch.stream, batch.second] += batch.ok + failed
        self._failed[batch.worker][batch.stream] += failed

    def totals(self, worker: int) -> dict[str, tuple[int, int]]:
        """Return by stream how many arrivals were counted in as those of `worker`, and how many of them failed."""
        begun: Counter[str] = Counter()
        for (stream, _), count in self._handed_up[worker].items():
            begun[stream] += count
        return {stream: (count, self._failed[worker][stream]) for stream, count in begun.items()}

    def split(self, lost: int, takers: Sequence[int], from_us: int) -> dict[int, list[Share]]:
        """Give all that `lost` has to play from `from_us` on to the `takers`, in equal parts; return who takes what."""
        taken: dict[int, list[Share]] = {taker: [] for taker in takers}
        for share in self._shares[lost]:
            for taker, part in zip(takers, share.split(len(takers), from_us), strict=True):
                taken[taker].append(part)
                self._shares[taker].append(part)
        return taken

    def lost(self, worker: int, until_us: int) -> Iterator[SampleBatch | Completions]:
        """Yield what `worker` had to play before `until_us` and never handed up, as arrivals that failed.

        Nobody knows which entry they went to: they are counted with the plan's first one. Computes the schedule of
        each stream anew, which takes a while for millions of arrivals.
        """
        for stream in self._plan.streams:
            due: Counter[int] = Counter()
            whole = self._planned(stream)
            for share in self._shares[worker]:
                due.update(share.per_second(whole, until_us))
            missing = {second: count - self._handed_up[worker][stream.name, second] for second, count in due.items()}
            missing = {second: count for second, count in sorted(missing.items()) if count > 0}
            entry, none = self._plan.entries[0], Histogram()
            for second, count in missing.items():
                yield SampleBatch(stream.name, entry, second, worker, 0, {LOST: count}, 0, none, none, none)
            if missing:
                ended = max(0, until_us - 1) // _SECOND_US
                yield Completions(stream.name, entry, ended, worker, 0, sum(missing.values()))
