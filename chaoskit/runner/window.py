"""What load did lately: the samples so far by stream and second, for live view, gate and abort rules."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chaoskit.records import Histogram, MessageBatch, SampleBatch


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes over some seconds and streams; histograms are of successes, but for the lag, which is of all sent."""

    ok: int
    failed: int
    response_us: Histogram
    service_us: Histogram
    lag_us: Histogram
    attempts: int = 0

    @property
    def arrivals(self) -> int:
        """How many arrivals had an outcome, good or bad."""
        return self.ok + self.failed

    @property
    def errors_ratio(self) -> float:
        """Failed arrivals by all arrivals (0 … 1); 0 when nothing arrived."""
        return self.failed / self.arrivals if self.arrivals else 0.0


class Seconds:
    """Samples by stream and second of intended start, as they come."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], list[SampleBatch]] = defaultdict(list)
        self._messages: dict[tuple[str, int], list[MessageBatch]] = defaultdict(list)

    def add(self, batch: SampleBatch) -> None:
        """Count one batch in."""
        self._seconds[batch.stream, batch.second].append(batch)

    def add_messages(self, batch: MessageBatch) -> None:
        """Count in what subscribers got."""
        self._messages[batch.stream, batch.second].append(batch)

    def heard(self, stream: str, second: int) -> tuple[int, int]:
        """Return how many subscribers of `stream` listened at the end of `second`, and how many messages came in it."""
        batches = self._messages.get((stream, second), ())
        return sum(batch.listeners for batch in batches), sum(batch.messages for batch in batches)

    def batches(self) -> Iterator[SampleBatch]:
        """Yield everything counted so far."""
        for batches in self._seconds.values():
            yield from batches

    def tally(self, streams: Iterable[str], first: int, last: int) -> Tally:
        """Sum `streams` over the seconds `first … last`, both included."""
        names = tuple(streams)
        chosen = [
            batch
            for name in names
            for second in range(first, last + 1)
            for batch in self._seconds.get((name, second), ())
        ]
        return Tally(
            ok=sum(batch.ok for batch in chosen),
            failed=sum(sum(batch.failed.values()) for batch in chosen),
            response_us=Histogram.merged(batch.response_us for batch in chosen),
            service_us=Histogram.merged(batch.service_us for batch in chosen),
            lag_us=Histogram.merged(batch.lag_us for batch in chosen),
            attempts=sum(batch.attempts for batch in chosen),
        )


def merged(parts: Sequence[Tally]) -> Tally:
    """Return the sum of several tallies."""
    return Tally(
        ok=sum(part.ok for part in parts),
        failed=sum(part.failed for part in parts),
        response_us=Histogram.merged(part.response_us for part in parts),
        service_us=Histogram.merged(part.service_us for part in parts),
        lag_us=Histogram.merged(part.lag_us for part in parts),
        attempts=sum(part.attempts for part in parts),
    )
