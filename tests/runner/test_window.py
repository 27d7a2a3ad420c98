"""Seconds add up batches and are tallied over streams."""

from chaoskit.records import Histogram, SampleBatch
from chaoskit.runner.window import Seconds


def batch(stream: str, second: int, ok: int, **failed: int) -> SampleBatch:
    times = Histogram.of_us([1000] * ok)
    return SampleBatch(stream, "client->api", second, 0, ok, failed, ok, times, times, times)


def test_batches_of_one_second_add_up() -> None:
    seconds = Seconds()
    for part in (batch("a", 1, 3, timeout=1), batch("a", 1, 2), batch("b", 1, 5), batch("a", 2, 7)):
        seconds.add(part)
    tally = seconds.tally(["a"], 1, 1)
    assert (tally.ok, tally.failed, tally.response_us.count) == (5, 1, 5)
    assert seconds.tally(["a", "b"], 1, 2).ok == 17
    assert len(list(seconds.batches())) == 4


def test_nothing_has_no_errors() -> None:
    assert Seconds().tally(["a"], 0, 9).errors_ratio == 0.0
