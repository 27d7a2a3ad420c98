"""`records.jsonl`: every record of a run, one JSON line each, appended while the run plays."""

import os
from pathlib import Path
from typing import NamedTuple

from chaoskit.errors import StoreError
from chaoskit.records import FaultEvent, History, Record, decode, encode


class SavedHistory(NamedTuple):
    """What could be read back; `dropped_lines` were torn (a killed runner ends in half a line) or are no records."""

    history: History
    dropped_lines: int


class Journal:
    """Appends records. They reach the disk at `flush`; a fault's intent is forced onto it before `append` returns.

    Making one raises StoreError if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            message = f"cannot write {path}: {error.strerror}; check the folder and its permissions"
            raise StoreError(message) from error
        self._pending: list[bytes] = []

    def append(self, record: Record) -> None:
        """Take one record. An intent is written down before the fault it announces can do anything."""
        self._pending.append(encode(record))
        if isinstance(record, FaultEvent) and record.step == "intent":
            self.flush(durable=True)

    def flush(self, *, durable: bool = False) -> None:
        """Hand everything pending to the system, from where it outlives this process; `durable`: also a power cut.

        Raises:
            StoreError: the disk is full or gone.
        """
        rest = memoryview(b"".join(self._pending))
        self._pending.clear()
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            if durable:
                os.fsync(self._file.fileno())
        except OSError as error:
            message = f"cannot write {self._file.name}: {error}"
            raise StoreError(message) from error

    def close(self) -> None:
        """Flush, force everything onto the disk and close; does nothing the second time."""
        if not self._file.closed:
            try:
                self.flush(durable=True)
            finally:
                self._file.close()


def read_journal(path: Path) -> SavedHistory:
    """Read records back, as far as they go; a missing file is an empty history.

    Raises:
        StoreError: the file cannot be read.
    """
    history = History()
    dropped = 0
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    history.add(decode(line))
                except ValueError:
                    dropped += 1
    except FileNotFoundError:
        pass
    except OSError as error:
        message = f"cannot read {path}: {error}"
        raise StoreError(message) from error
    return SavedHistory(history, dropped)
