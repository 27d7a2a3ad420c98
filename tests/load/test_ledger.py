"""What is lost with a load process is what it had to play and never handed up, to the arrival."""

from chaoskit.load.ledger import Ledger
from chaoskit.plan.arrivals import schedule
from chaoskit.plan.share import Share
from chaoskit.records import LOST, Histogram, SampleBatch
from tests.support.load_plan import ENTRY, get, plan_of, stream_of

NONE = Histogram()


def batch(worker: int, second: int, ok: int, failed: int = 0) -> SampleBatch:
    return SampleBatch("trading", ENTRY, second, worker, ok, {"timeout": failed}, ok, NONE, NONE, NONE)


def test_the_rest_is_lost() -> None:
    plan = plan_of(stream_of(get("/"), (4, 30)))
    ledger = Ledger(plan, 3)
    ledger.add(batch(0, 0, 8, 2))
    ledger.add(batch(0, 1, 3))
    ledger.add(batch(1, 1, 10))
    lost = list(ledger.lost(0, 2_000_000))
    assert [(each.second, each.failed) for each in lost if each.type == "sample"] == [(1, {LOST: 7})]
    assert [(each.second, each.failed) for each in lost if each.type == "completions"] == [(1, 7)]
    assert {(each.worker, each.stream, each.entry) for each in lost} == {(0, "trading", ENTRY)}


def test_a_worker_that_took_over_is_lost_with_what_it_took() -> None:
    plan = plan_of(stream_of(get("/"), (4, 30)))
    ledger = Ledger(plan, 3)
    assert ledger.split(0, [1, 2], 1_000_000) == {1: [Share(0, 6, 1_000_000)], 2: [Share(3, 6, 1_000_000)]}
    assert ledger.split(1, [2], 2_000_000) == {2: [Share(1, 3, 2_000_000), Share(0, 6, 2_000_000)]}
    lost = {each.second: each.failed[LOST] for each in ledger.lost(1, 2_000_000) if each.type == "sample"}
    assert lost == {0: 10, 1: 15}
    rest = {each.second: each.failed[LOST] for each in ledger.lost(2, 4_000_000) if each.type == "sample"}
    assert rest == {0: 10, 1: 15, 2: 30, 3: 30}


def test_nothing_is_lost_with_a_worker_that_handed_everything_up() -> None:
    plan = plan_of(stream_of(get("/"), (1, 10)))
    ledger = Ledger(plan, 1, planned=schedule)
    ledger.add(batch(0, 0, 10))
    assert list(ledger.lost(0, 9_000_000)) == []
