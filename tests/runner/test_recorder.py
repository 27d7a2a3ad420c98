"""The recorder writes first and shows second."""

from pathlib import Path

from chaoskit.clock import Clock
from chaoskit.records import FaultEvent
from chaoskit.runner.live import LiveState
from chaoskit.runner.recorder import Discard, Recorder
from chaoskit.store import RunFolder
from tests.support.shop_plan import shop_plan


def test_records_reach_disk_and_state(tmp_path: Path) -> None:
    plan = shop_plan(tmp_path)
    folder = RunFolder.create(tmp_path / "reports", plan, scenario_text="", provenance={})
    state = LiveState(plan)
    recorder = Recorder(folder, state, Clock.starting_now())
    recorder.emit(FaultEvent(1.0, "latency-1", "applied"))
    recorder.note("note", "a sentence")
    recorder.flush()
    history = folder.history().history
    folder.close()
    assert [event.step for event in history.faults] == ["applied"]
    assert [event.detail for event in history.events] == ["a sentence"]
    assert state.snapshot(2.0).faults == ("latency-1",)


def test_discarding_is_a_sink_too() -> None:
    Discard(Clock.starting_now()).emit(FaultEvent(1.0, "latency-1", "applied"))
