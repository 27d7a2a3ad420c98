"""Outcomes of arrivals: noted one by one at the price of an append, turned into records in bulk."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chaoskit.records import Completions, Histogram, SampleBatch

NEVER_SENT: Final = -1
OTHER: Final = "other reasons"
_DISTINCT_REASONS: Final = 100  # a flow that puts an order's number into its reasons must not fill the run's folder
_COLUMNS: Final = 5
_INTENDED, _SENT, _DONE, _ATTEMPTS, _WAITED = range(_COLUMNS)
_SECOND_US: Final = 1_000_000

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What ended since the last look, of one stream at one entry.

    `ok` and `failed` have one row an arrival: intended, sent (-1: never), done, in microseconds of the run, attempts,
    and microseconds waited for a free connection. `reasons[k]` is why `failed[k]` failed.
    """

    stream: str
    entry: str
    ok: Rows
    failed: Rows
    reasons: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many arrivals ended."""
        return len(self.ok) + len(self.failed)

    @property
    def done_us(self) -> Rows:
        """When they ended: first the good ones, then the failed."""
        return np.concatenate([self.ok[:, _DONE], self.failed[:, _DONE]])

    @property
    def response_us(self) -> Rows:
        """Done - intended: first the good ones, then the failed."""
        intended_us = np.concatenate([self.ok[:, _INTENDED], self.failed[:, _INTENDED]])
        response_us: Rows = self.done_us - intended_us
        return response_us

    def batches(self, worker: int) -> Iterator[SampleBatch]:
        """Yield one batch for each second in which one of these arrivals was meant to start."""
        ok_seconds = self.ok[:, _INTENDED] // _SECOND_US
        failed_seconds = self.failed[:, _INTENDED] // _SECOND_US
        for second in np.unique(np.concatenate([ok_seconds, failed_seconds])).tolist():
            good = self.ok[ok_seconds == second]
            bad_positions = np.flatnonzero(failed_seconds == second)
            bad = self.failed[bad_positions]
            sent = np.concatenate([good, bad[bad[:, _SENT] != NEVER_SENT]])
            yield SampleBatch(
                stream=self.stream,
                entry=self.entry,
                second=second,
                worker=worker,
                ok=len(good),
                failed=dict(Counter(self.reasons[position] for position in bad_positions.tolist())),
                attempts=int(good[:, _ATTEMPTS].sum() + bad[:, _ATTEMPTS].sum()),
                response_us=Histogram.of_us(good[:, _DONE] - good[:, _INTENDED]),
                service_us=Histogram.of_us(good[:, _DONE] - good[:, _SENT]),
                lag_us=Histogram.of_us(sent[:, _SENT] - sent[:, _INTENDED] - sent[:, _WAITED]),
            )

    def completions(self, worker: int) -> Iterator[Completions]:
        """Yield one record for each second in which one of these arrivals ended."""
        ok_seconds = self.ok[:, _DONE] // _SECOND_US
        failed_seconds = self.failed[:, _DONE] // _SECOND_US
        for second in np.unique(np.concatenate([ok_seconds, failed_seconds])).tolist():
            yield Completions(
                stream=self.stream,
                entry=self.entry,
                second=second,
                worker=worker,
                ok=int((ok_seconds == second).sum()),
                failed=int((failed_seconds == second).sum()),
            )


class Recorder:
    """Collects the outcomes of one stream at one entry."""

    __slots__ = ("_failed", "_known", "_ok", "_reasons", "entry", "stream")

    def __init__(self, stream: str, entry: str) -> None:
        self.stream = stream
        self.entry = entry
        self._known: set[str] = set()
        self._empty()

    def _empty(self) -> None:
        self._ok = array("q")
        self._failed = array("q")
        self._reasons: list[str] = []

    def ok(self, intended_us: int, sent_us: int, done_us: int, attempts: int, waited_us: int = 0) -> None:
        """Note an arrival that went well; `waited_us` is how long it found every connection in use."""
        self._ok.extend((intended_us, sent_us, done_us, attempts, waited_us))

    def failed(self, times_us: tuple[int, int, int], attempts: int, reason: str, waited_us: int = 0) -> None:
        """Note an arrival that failed; `times_us` are intended, sent (`NEVER_SENT`) and done."""
        self._failed.extend((*times_us, attempts, waited_us))
        if reason not in self._known:
            if len(self._known) == _DISTINCT_REASONS:
                reason = OTHER
            else:
                self._known.add(reason)
        self._reasons.append(reason)

    def take(self) -> Outcomes:
        """Return what was noted since the last `take`."""
        taken = Outcomes(self.stream, self.entry, _rows(self._ok), _rows(self._failed), tuple(self._reasons))
        self._empty()
        return taken


def _rows(values: "array[int]") -> Rows:
    return np.frombuffer(values, dtype=np.int64).reshape(-1, _COLUMNS) if values else np.empty((0, _COLUMNS), np.int64)
