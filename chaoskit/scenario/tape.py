"""A recorded day: how many arrivals each stream had, interval by interval, read from a CSV file."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final

from chaoskit.errors import Problem
from chaoskit.scenario.problems import did_you_mean

COLUMNS: Final = ("time", "stream", "count")
MAX_BYTES: Final = 64 * 1024 * 1024
_MOST_PROBLEMS: Final = 20  # of one tape: a wrong separator would make one of each line
_LONGEST_NAME: Final = 100
_MOST_SHOWN: Final = 40  # characters of a cell: the file may be no tape at all, and nobody wants to read it here
_MOST_COUNT: Final = 10**12
_LAST_SECOND: Final = 1e11  # the year 5138; the milliseconds of today are beyond it


@dataclass(frozen=True, slots=True)
class Tape:
    """One stream's arrivals: `counts[k]` of them between `edges_s[k]` and `edges_s[k + 1]`, seconds from 0.

    Counts are whole as recorded; at another speed they need not be.
    """

    edges_s: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def length_s(self) -> float:
        """How long the tape is."""
        return self.edges_s[-1]

    def at_speed(self, speed: float) -> "Tape":
        """Return the tape whose time passes `speed` times as fast, at the same rates: with so many times fewer."""
        return Tape(tuple(edge_s / speed for edge_s in self.edges_s), tuple(count / speed for count in self.counts))

    def rates(self) -> Iterator[tuple[float, float, float]]:
        """Yield start (s), end (s) and arrivals per second of each interval."""
        for start_s, end_s, count in zip(self.edges_s, self.edges_s[1:], self.counts, strict=False):
            yield start_s, end_s, count / (end_s - start_s)

    def mean_rps(self, start_s: float, end_s: float) -> float:
        """Return the mean rate between two times of the tape."""
        arrivals = sum(
            rate * max(0.0, min(end_s, until_s) - max(start_s, from_s)) for from_s, until_s, rate in self.rates()
        )
        return arrivals / (end_s - start_s)


def read_tapes(path: Path) -> tuple[Mapping[str, Tape], list[Problem]]:
    """Read the tape of every stream in the CSV file at `path`; none where it has problems, all of which are listed.

    The file has the columns `time`, `stream`, `count` in any order, and may have others. Times are seconds, or ISO 8601
    dates with times (UTC where they name no zone); they do not go back, and all streams share them. An interval lasts
    until the next time of the file, the last one as long as the one before it (1 s where there is one only). A stream
    without a row at a time has no arrivals then; several rows of one stream at one time are added.
    """
    name = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    try:
        if path.stat().st_size > MAX_BYTES:
            message = f"the tape is larger than {MAX_BYTES // 1024**2} MiB; add up what falls into a second"
            return {}, [Problem(name, 1, 1, message)]
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return {}, [Problem(name, 1, 1, "not UTF-8 text; save the file as UTF-8")]
    except OSError as error:
        return {}, [Problem(name, 1, 1, f"the tape cannot be read: {(error.strerror or 'unreadable').lower()}")]
    reader = _Reader(name)
    reader.read(lines)
    if reader.problems:
        return {}, reader.problems[:_MOST_PROBLEMS]
    return reader.tapes(), []


class _Reader:
    def __init__(self, name: str) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._counts: dict[str, dict[float, int]] = {}
        self._times_s: list[float] = []
        self._began: float | None = None
        self._is_dated: bool | None = None

    def read(self, lines: Iterable[str]) -> None:
        rows = csv.reader(lines, strict=True)
        places: dict[str, int] | None = None
        try:
            for row in rows:
                if not row:
                    continue
                if places is None:
                    places = self._header([cell.strip().lower() for cell in row], rows.line_num)
                    if places is None:
                        return
                else:
                    self._row(row, places, rows.line_num)
        except csv.Error as error:
            self._complain(rows.line_num, f"the line is no CSV: {error}; mend its quotes")
        if not self._times_s and not self.problems:
            self._complain(1, f"the tape is empty; write a line `{','.join(COLUMNS)}` and one for each count")

    def tapes(self) -> dict[str, Tape]:
        starts_s = self._times_s
        last_s = starts_s[-1] - starts_s[-2] if len(starts_s) > 1 else 1.0
        edges_s = (*starts_s, starts_s[-1] + last_s)
        return {
            stream: Tape(edges_s, tuple(counts.get(start_s, 0) for start_s in starts_s))
            for stream, counts in self._counts.items()
        }

    def _header(self, names: list[str], line: int) -> dict[str, int] | None:
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            has = f"it has {_shown(', '.join(filter(None, names))) if any(names) else 'none'}"
            message = f"the tape lacks the column {' and '.join(missing)}; {has}"
            self._complain(line, f"{message}: begin it with a line `{','.join(COLUMNS)}`")
            return None
        twice = next((column for column in COLUMNS if names.count(column) > 1), None)
        if twice is not None:
            self._complain(line, f"the tape has two columns {twice}; keep one", names.index(twice))
            return None
        return {column: names.index(column) for column in COLUMNS}

    def _row(self, row: list[str], places: Mapping[str, int], line: int) -> None:
        if len(row) <= max(places.values()):
            self._complain(line, f"the line has {len(row)} cells, fewer than the head; fill it up")
            return
        time, stream, count = (row[places[column]].strip() for column in COLUMNS)
        wrong = {"time": self._wrong_time(time), "stream": _wrong_stream(stream), "count": _wrong_count(count)}
        column = next((column for column in COLUMNS if wrong[column]), None)
        if column is not None:
            self._complain(line, str(wrong[column]), places[column])
            return
        at, _ = _time(time)
        self._began = at if self._began is None else self._began
        at_s = round(at - self._began, 6)
        if self._times_s and at_s < self._times_s[-1]:
            self._complain(line, f"time goes back to {time}; sort the lines by time", places["time"])
            return
        if not self._times_s or at_s > self._times_s[-1]:
            self._times_s.append(at_s)
        counts = self._counts.setdefault(stream, {})
        counts[at_s] = counts.get(at_s, 0) + int(count)

    def _wrong_time(self, text: str) -> str | None:
        try:
            at, is_dated = _time(text)
        except ValueError:
            return f"time is {_shown(text)}; write seconds like 12.5, or 2025-10-10T20:50:00Z"
        if abs(at) > _LAST_SECOND:
            return f"time is {_shown(text)}, too much for seconds; milliseconds are divided by 1000 first"
        self._is_dated = is_dated if self._is_dated is None else self._is_dated
        if is_dated != self._is_dated:
            return (
                f"time is {_shown(text)}, and lines above have {'dates' if self._is_dated else 'seconds'}; keep to one"
            )
        return None

    def _complain(self, line: int, message: str, cell: int = 0) -> None:
        self.problems.append(Problem(self._name, max(line, 1), cell + 1, message))


def _time(text: str) -> tuple[float, bool]:
    """Return a time in seconds, and whether it was a date, of which they are the seconds since 1970.

    Raises:
        ValueError: it is no time.
    """
    try:
        seconds = float(text)
    except ValueError:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp(), True
    if not isfinite(seconds) or "_" in text:
        raise ValueError(text)
    return seconds, False


def _wrong_stream(name: str) -> str | None:
    if not name:
        return "stream is empty; name one"
    if len(name) > _LONGEST_NAME or not name.isprintable():
        return f"stream is {_shown(name)} and must be plain text of at most {_LONGEST_NAME} characters"
    return None


def _wrong_count(text: str) -> str | None:
    if not text.isdecimal():
        return f"count is {_shown(text)} and must be a whole number, 0 or more"
    if len(text) > len(str(_MOST_COUNT)) or int(text) > _MOST_COUNT:
        return f"count is {_shown(text)} and must be at most {_MOST_COUNT:,}; check the column"
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…")


def lacks(stream: str, tapes: Mapping[str, Tape], file: str) -> str | None:
    """Return the sentence for a stream that the tape of `file` lacks, None where it has it."""
    return None if stream in tapes else f"{file} has no arrivals of {stream!r}{did_you_mean(stream, tapes)}"
