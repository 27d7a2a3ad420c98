"""A load process lost in mid-run: a note where little went with it, inconclusive where it matters."""

from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.lost import lost_workers
from chaoskit.analysis.observations import observe
from chaoskit.analysis.result import Verdict
from chaoskit.plan.model import Objective, Plan
from chaoskit.records import LOST, History, RunEvent
from tests.support.simulation import AMPLE, simulate

SHORT = replace(AMPLE, baseline_s=8.0, surge_s=8.0, recovery_s=4.0, latency=(10.0, 12.0, 0.02))


@pytest.fixture(scope="module")
def run() -> tuple[Plan, History]:
    return simulate(SHORT)


def with_lost(run: tuple[Plan, History], ratio: float, bound: float) -> tuple[Plan, History]:
    """The run with `ratio` of the surge's trading lost in one second, and an objective on errors."""
    plan, history = run
    surge = plan.phase("surge")
    mine = [
        batch for batch in history.samples if batch.stream == "trading" and surge.start_s <= batch.second < surge.end_s
    ]
    lost = round(sum(batch.ok + sum(batch.failed.values()) for batch in mine) * ratio)
    victim = max(mine, key=lambda batch: batch.ok)
    assert 0 < lost < victim.ok
    spoilt = replace(victim, ok=victim.ok - lost, failed={**victim.failed, LOST: lost})
    samples = [spoilt if batch is victim else batch for batch in history.samples]
    ended = max((each for each in history.completions if each.stream == "trading"), key=lambda each: each.ok)
    failed = replace(ended, ok=ended.ok - lost, failed=ended.failed + lost)
    completions = [failed if each is ended else each for each in history.completions]
    said = f"load process 1 ended with code -9; {lost:,} arrivals were lost with it, and 2 others took over"
    events = [*history.events, RunEvent(surge.start_s + 3.0, "worker_lost", said)]
    objective = Objective("trading errors in surge", "trading", "errors", None, "<", bound, "surge")
    parts = {name: getattr(history, name) for name in History.__slots__}
    return replace(plan, objectives=(objective,)), History(
        **{**parts, "samples": samples, "completions": completions, "events": events}
    )


@pytest.mark.parametrize(
    ("ratio", "bound", "verdict", "words"),
    [
        (0.004, 0.5, Verdict.PASS, "% of trading in surge at most, and changes no objective"),
        (0.05, 0.5, Verdict.INCONCLUSIVE, "% of trading in surge; more than 1%"),
        (0.004, 0.002, Verdict.INCONCLUSIVE, "'trading errors in surge' would have been met"),
    ],
)
def test_what_is_lost_is_weighed(
    run: tuple[Plan, History], ratio: float, bound: float, verdict: Verdict, words: str
) -> None:
    plan, history = with_lost(run, ratio, bound)
    (check,) = lost_workers(observe(plan, history))
    assert check.ok is (verdict is Verdict.PASS)
    assert words in check.statement
    assert "took over" in check.statement
    result = analyse(plan, history)
    assert result.verdict is verdict
    assert check.statement in result.reasons
    assert "No cause found" not in " ".join(result.reasons)


def test_where_all_lasted_nothing_is_said(run: tuple[Plan, History]) -> None:
    assert list(lost_workers(observe(*run))) == []


def test_a_load_that_ended_with_its_last_process_proves_nothing(run: tuple[Plan, History]) -> None:
    plan, history = with_lost(run, 0.004, 0.5)
    parts = {name: getattr(history, name) for name in History.__slots__}
    cut = History(**{**parts, "phases": [each for each in history.phases if each.phase == "baseline"]})
    (check,) = lost_workers(observe(plan, cut))
    assert (check.ok, check.statement.endswith("The load ended with it.")) == (False, True)
