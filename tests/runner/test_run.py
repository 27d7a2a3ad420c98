"""A whole run on a small target: every way out leaves a saved run and nothing else."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chaoskit.analysis.result import Verdict
from chaoskit.environment.labels import find_labelled
from chaoskit.environment.workspace import FOLDER_PREFIX, temporary_folder
from chaoskit.errors import StoreError
from chaoskit.faults.plane import FaultPlane
from chaoskit.plan.model import Plan
from chaoskit.runner.live import NoWatcher, Snapshot
from chaoskit.runner.run import Outcome, RunRequest, play
from chaoskit.runner.stop import Stop
from chaoskit.store import RunFolder, saved_runs
from tests.support.shop_plan import DAY, shop_plan

FAULT = "faults: [{latency: {link: client->api, delay: 30ms}, during: surge, at: 0s, for: 2s}]\n"


class StageWatcher(NoWatcher):
    """Calls back when a step begins whose sentence holds `part`."""

    def __init__(self, part: str, then: Callable[[], None]) -> None:
        self.part = part
        self.then = then

    def stage(self, sentence: str) -> None:
        if self.part in sentence:
            self.then()


class Watcher(NoWatcher):
    """Calls back at the first update at or after `t_s`."""

    def __init__(self, t_s: float, then: Callable[[], None]) -> None:
        self.t_s = t_s
        self.then = then

    def update(self, snapshot: Snapshot) -> None:
        if snapshot.t_s >= self.t_s:
            self.then()


async def played(plan: Plan, reports: Path, stop: Stop | None = None, watcher: NoWatcher | None = None) -> Outcome:
    return await play(RunRequest(plan, "", reports, {}), watcher or NoWatcher(), stop or Stop())


def assert_nothing_is_left(run_id: str) -> None:
    assert [found for found in find_labelled() if found.label.run_id == run_id] == []
    assert not list(temporary_folder().glob(f"{FOLDER_PREFIX}{run_id}*"))


async def test_a_run_leaves_its_records_and_nothing_else(tmp_path: Path) -> None:
    plan = shop_plan(tmp_path, DAY + FAULT)
    outcome = await played(plan, tmp_path / "reports")
    assert outcome.restore_error is None
    assert [event.phase for event in outcome.history.phases if event.step == "started"] == [
        "baseline",
        "surge",
        "recovery",
    ]
    steps = [event.step for event in outcome.history.faults]
    assert steps[:2] == ["intent", "applied"]
    assert steps[-1] == "proven_clean"
    assert outcome.history.receipts[0].effective
    arrivals = sum(batch.ok + sum(batch.failed.values()) for batch in outcome.history.samples)
    assert arrivals == sum(plan.streams[0].expected_per_second)
    assert_nothing_is_left(outcome.folder.run_id)


async def test_a_stop_winds_down_and_is_reported_as_aborted(tmp_path: Path) -> None:
    stop = Stop()
    watcher = Watcher(5.0, lambda: stop.ask("enough"))
    outcome = await played(shop_plan(tmp_path, DAY + FAULT), tmp_path / "reports", stop, watcher)
    assert outcome.result.verdict is Verdict.ABORTED
    assert "enough" in outcome.result.reasons[0]
    assert outcome.restore_error is None
    assert_nothing_is_left(outcome.folder.run_id)


@pytest.mark.parametrize("step", ["fault proxy", "starting shop", "load generator"])
async def test_a_stop_during_bring_up_is_reported_as_aborted(tmp_path: Path, step: str) -> None:
    stop = Stop()
    watcher = StageWatcher(step, lambda: stop.ask("enough"))
    outcome = await played(shop_plan(tmp_path, DAY + FAULT), tmp_path / "reports", stop, watcher)
    assert outcome.result.verdict is Verdict.ABORTED
    assert "enough, before the target was up" in outcome.result.reasons[0]
    assert outcome.history.samples == []
    assert_nothing_is_left(outcome.folder.run_id)


async def test_a_full_disk_ends_the_run_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: RunFolder, record: object) -> None:
        raise StoreError("cannot write records.jsonl: no space left on device")

    def fill_up() -> None:
        monkeypatch.setattr(RunFolder, "append", full)

    with pytest.raises(StoreError, match="no space left"):
        await played(shop_plan(tmp_path), tmp_path / "reports", watcher=Watcher(0.5, fill_up))
    assert_nothing_is_left(saved_runs(tmp_path / "reports")[0].run_id)


async def test_what_breaks_the_faults_ends_the_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(plane: FaultPlane) -> None:
        raise StoreError("cannot write the intent: no space left on device")

    monkeypatch.setattr(FaultPlane, "play", broken)
    plan = shop_plan(tmp_path, (DAY + FAULT).replace("surge: {for: 3s", "surge: {for: 60s"))
    async with asyncio.timeout(30):
        with pytest.raises(StoreError, match="no space left"):
            await played(plan, tmp_path / "reports")


async def test_cancelling_undoes_everything_at_once(tmp_path: Path) -> None:
    reached = asyncio.Event()
    plan = shop_plan(tmp_path, DAY + FAULT)
    playing = asyncio.create_task(played(plan, tmp_path / "reports", watcher=Watcher(4.5, reached.set)))
    await reached.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert_nothing_is_left(saved_runs(tmp_path / "reports")[0].run_id)


async def test_an_unsteady_baseline_disturbs_nothing(tmp_path: Path) -> None:
    text = (DAY + FAULT).replace("80%", "25%")
    plan = shop_plan(tmp_path, text, tills="1", service_time="15ms")
    outcome = await played(plan, tmp_path / "reports")
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    assert [event.event for event in outcome.history.events if event.event == "gate"] == ["gate"]
    assert outcome.history.faults == []


async def test_a_target_that_does_not_come_up_says_so(tmp_path: Path) -> None:
    plan = shop_plan(tmp_path)
    broken = replace(plan.instances[0], command=("{python}", "-c", "raise SystemExit('no till today')"))
    plan = replace(plan, instances=(broken,))
    outcome = await played(plan, tmp_path / "reports")
    assert "no till today" in str(outcome.setup_error)
    (event,) = outcome.history.events
    assert (event.event, event.detail) == ("setup_failed", str(outcome.setup_error))
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    assert outcome.result.headline.startswith("Inconclusive: Set-up failed: ")
    assert_nothing_is_left(outcome.folder.run_id)


async def test_a_component_that_dies_is_named(tmp_path: Path) -> None:
    outcome = await played(shop_plan(tmp_path, crash_after="5s"), tmp_path / "reports")
    died = [event.detail for event in outcome.history.events if event.event == "component_died"]
    assert len(died) == 1
    assert "api exited with 9" in died[0]
    assert outcome.result.verdict is not Verdict.PASS
