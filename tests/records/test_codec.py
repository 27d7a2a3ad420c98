"""Every record survives the way through a line of JSON."""

import pytest

from chaoskit.records import (
    Completions,
    FaultEvent,
    FigureSample,
    GeneratorHealth,
    Histogram,
    History,
    HostSample,
    MessageBatch,
    MetricSample,
    PhaseEvent,
    ProbeSample,
    Receipt,
    Record,
    ResourceSample,
    RunEvent,
    SampleBatch,
    UsageSample,
    Vitals,
    VitalsSample,
    decode,
    encode,
)

HISTOGRAM = Histogram.of_us([100, 200, 90_000])
RECORDS: list[Record] = [
    SampleBatch("trading", "client->gateway", 3, 0, 2, {"timeout": 1}, 3, HISTOGRAM, HISTOGRAM, HISTOGRAM),
    MetricSample(1.5, "engine", "sum sold_total", 7.0),
    MessageBatch("feeds", "client->gw", 3, 0, 2, 40, 400, 9000, {"closed 1001": 1}, Histogram.of_us([9]), Histogram()),
    Completions("trading", "client->gateway", 3, 0, 2, 1),
    GeneratorHealth(1.5, 0, 0.25, 0.001, 4, 8, 0),
    ResourceSample(1.5, "shop/web.pool", 8, 2.5, {"web->db": 2.0}, 10, 9, {"full": 1}, 0.1, 2, 10),
    UsageSample(1.5, "web", 0.5, 1000, 12),
    HostSample(1.5, 3.5, 2, 1_000_000),
    FigureSample(1.5, "web", "staleness", 0.5),
    ProbeSample(1.5, "web->db", "ok", 0.1, 0.4, 0.5, 1, 1),
    VitalsSample(1.5, "web", Vitals("running", 2, 0.5, 1000)),
    FaultEvent(1.5, "latency-1", "intent", "adds 40ms"),
    Receipt("latency-1", "web->db", "adds 40ms", "added 40.4ms", effective=True, clean_after=True),
    PhaseEvent(1.5, "surge", "started"),
    RunEvent(1.5, "note", "a sentence"),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.type)
def test_round_trip(record: Record) -> None:
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == record


def test_a_receipt_of_an_older_journal_is_read() -> None:
    older = encode(RECORDS[-3]).replace(b'"place"', b'"link"')
    assert b'"link":"web->db"' in older
    assert decode(older) == RECORDS[-3]


def test_a_history_sorts_every_type() -> None:
    history = History.of(RECORDS)
    lists = [getattr(history, name) for name in History.__slots__]
    assert sorted(record.type for kept in lists for record in kept) == sorted(record.type for record in RECORDS)
    assert all(len(kept) == 1 for kept in lists)


@pytest.mark.parametrize("line", [b"", b"{", b'{"type":"sample"}', b'{"type":"nonsense"}', b"[]", b"\xff\xfe"])
def test_a_torn_line_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match="not a record"):
        decode(line)
