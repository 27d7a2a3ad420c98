from pathlib import Path

import pytest

from chaoskit.errors import StoreError
from chaoskit.records import FaultEvent, PhaseEvent, SampleBatch
from chaoskit.records.histogram import Histogram
from chaoskit.store.journal import Journal, read_journal

STARTED = PhaseEvent(0.0, "baseline", "started")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.jsonl"


def test_records_come_back_as_they_were(path: Path) -> None:
    histogram = Histogram.of_us([10, 20_000])
    batch = SampleBatch("trading", "client->gateway", 3, 0, 2, {"timeout": 1}, 3, histogram, histogram, Histogram())
    journal = Journal(path)
    journal.append(STARTED)
    journal.append(batch)
    assert path.read_bytes() == b""
    journal.flush()
    assert read_journal(path).history.samples == [batch]
    journal.append(STARTED)
    journal.close()
    journal.close()
    saved = read_journal(path)
    assert saved.history.phases == [STARTED, STARTED]
    assert saved.dropped_lines == 0


def test_an_intent_is_on_disk_before_append_returns_and_so_is_all_before_it(path: Path) -> None:
    journal = Journal(path)
    journal.append(STARTED)
    journal.append(FaultEvent(1.0, "latency-1", "intent"))
    journal.append(FaultEvent(1.1, "latency-1", "applied"))
    saved = read_journal(path).history
    assert saved.phases == [STARTED]
    assert [event.step for event in saved.faults] == ["intent"]
    journal.close()


@pytest.mark.parametrize("torn", [b'{"t_s":1.0,"phase":"sur', b"\xff\xfe\n", b'{"type":"unheard of"}\n', b"[]\n"])
def test_what_is_torn_is_dropped_and_counted(path: Path, torn: bytes) -> None:
    journal = Journal(path)
    journal.append(STARTED)
    journal.close()
    with path.open("ab") as file:
        file.write(torn)
    saved = read_journal(path)
    assert saved.history.phases == [STARTED]
    assert saved.dropped_lines == 1


def test_a_run_that_died_before_its_first_record_has_an_empty_history(path: Path) -> None:
    assert read_journal(path).history.phases == []


def test_a_full_disk_is_a_sentence() -> None:
    journal = Journal(Path("/dev/full"))
    journal.append(STARTED)
    with pytest.raises(StoreError, match=r"cannot write /dev/full: .*No space left"):
        journal.flush()
    with pytest.raises(StoreError, match=r"cannot write /dev/full"):
        journal.close()


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read"):
        read_journal(tmp_path)


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*gone/records\.jsonl: No such file"):
        Journal(tmp_path / "gone" / "records.jsonl")
