"""The live state follows the records."""

from pathlib import Path

from chaoskit.records import FaultEvent, GeneratorHealth, ResourceSample, RunEvent
from chaoskit.runner.live import LiveState, NoWatcher, Watcher
from tests.runner.test_window import batch
from tests.support.shop_plan import DAY, shop_plan

FAULT = "faults: [{latency: {link: client->api, delay: 30ms}, during: surge, at: 0s, for: 2s}]\n"


def test_a_snapshot_shows_the_last_settled_second(tmp_path: Path) -> None:
    state = LiveState(shop_plan(tmp_path, DAY + FAULT))
    state.add(batch("buying", 2, 202))  # with these, there are enough for a p99
    state.add(batch("buying", 3, 98, timeout=2))
    state.add(ResourceSample(4.0, "shop/api.tills", servers=2, busy_s=1.0))
    state.add(ResourceSample(5.0, "shop/api.tills", servers=2, busy_s=2.5))
    state.add(GeneratorHealth(5.0, 0, 0.1, 0.001, in_flight=3, connections=4, backlog=0))
    state.add(FaultEvent(4.5, "latency", "applied", "in 17.7ms"))
    state.add(RunEvent(4.6, "note", "a sentence"))
    snapshot = state.snapshot(5.2)
    now = snapshot.streams["buying"]
    assert (snapshot.phase, now.planned_rps, now.ok_rps, now.failed_rps, now.p99_s) == ("surge", 100, 98, 2, 0.001)
    generator = snapshot.generator
    assert (generator.processes, generator.connections, generator.loop_lag_s, generator.unsent) == (1, 4, 0.001, 0)
    assert snapshot.busiest == (("shop/api.tills", 0.75),)
    assert (snapshot.faults, snapshot.in_flight, snapshot.notes) == (
        ("latency 30ms on client->api",),
        3,
        ("note: a sentence",),
    )


def test_a_p99_that_so_few_successes_cannot_carry_is_not_shown(tmp_path: Path) -> None:
    state = LiveState(shop_plan(tmp_path))
    state.add(batch("buying", 3, 299))
    assert state.snapshot(5.2).streams["buying"].p99_s is None


def test_a_lifted_fault_is_gone(tmp_path: Path) -> None:
    state = LiveState(shop_plan(tmp_path))
    state.add(FaultEvent(1.0, "latency-1", "applied"))
    state.add(FaultEvent(2.0, "latency-1", "lifted"))
    assert state.snapshot(3.0).faults == ()


def test_before_the_first_record_there_is_something_to_show(tmp_path: Path) -> None:
    snapshot = LiveState(shop_plan(tmp_path)).snapshot(-0.4)
    assert (snapshot.phase, snapshot.streams["buying"].p99_s, snapshot.busiest) == ("starting", None, ())


def test_nobody_may_watch(tmp_path: Path) -> None:
    watcher: Watcher = NoWatcher()
    watcher.stage("a step")
    watcher.update(LiveState(shop_plan(tmp_path)).snapshot(0.0))


def test_the_generator_is_as_late_and_busy_as_its_worst_process(tmp_path: Path) -> None:
    state = LiveState(shop_plan(tmp_path))
    state.add(batch("buying", 3, 98, unsent=2))
    for worker, cpu_s in enumerate((0.2, 0.9)):
        state.add(GeneratorHealth(4.0, worker, 0.1, 0.5, in_flight=0, connections=1, backlog=0))
        state.add(GeneratorHealth(5.0, worker, 0.1 + cpu_s, 0.01 * worker, in_flight=1, connections=5, backlog=3))
    now = state.snapshot(5.2).generator
    assert (now.processes, now.connections, now.backlog, now.unsent, now.loop_lag_s) == (2, 10, 6, 2, 0.01)
    assert round(now.cpu_ratio, 6) == 0.9
    assert now.lag_p99_s is not None
