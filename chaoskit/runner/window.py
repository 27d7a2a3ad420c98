"""What load did lately: per-second sums of the samples so far, for live view, gate and abort rules."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from chaoskit.records import Histogram, SampleBatch


@dataclass(slots=True)
class Second:
    """One stream in one second of intended starts."""

    ok: int = 0
    failed: int = 0
    response_us: list[Histogram] = field(default_factory=list)
    service_us: list[Histogram] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes over some seconds and streams; histograms are of successes."""

    ok: int
    failed: int
    response_us: Histogram
    service_us: Histogram

    @property
    def errors_ratio(self) -> float:
        """Failed arrivals by all arrivals (0 … 1); 0 when nothing arrived."""
        arrived = self.ok + self.failed
        return self.failed / arrived if arrived else 0.0


class Seconds:
    """Samples summed by stream and second, as they come."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], Second] = defaultdict(Second)
        self.latest = -1

    def add(self, batch: SampleBatch) -> None:
        """Count one batch in."""
        second = self._seconds[batch.stream, batch.second]
        second.ok += batch.ok
        second.failed += sum(batch.failed.values())
        second.response_us.append(batch.response_us)
        second.service_us.append(batch.service_us)
        self.latest = max(self.latest, batch.second)

    def tally(self, streams: Iterable[str], first: int, last: int) -> Tally:
        """Sum `streams` over the seconds `first … last`, both included."""
        names = tuple(streams)
        chosen = [
            self._seconds[name, number]
            for name in names
            for number in range(first, last + 1)
            if (name, number) in self._seconds
        ]
        return Tally(
            ok=sum(second.ok for second in chosen),
            failed=sum(second.failed for second in chosen),
            response_us=Histogram.merged(part for second in chosen for part in second.response_us),
            service_us=Histogram.merged(part for second in chosen for part in second.service_us),
        )
