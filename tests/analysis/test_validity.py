"""Each way in which a run can fail to prove anything, and the sentence that says so."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaoskit.analysis import analyse
from chaoskit.analysis.ladder import ladder
from chaoskit.analysis.observations import observe
from chaoskit.analysis.result import Check, Verdict
from chaoskit.analysis.validity import checks
from chaoskit.plan.model import Objective, Plan
from chaoskit.records import GeneratorHealth, Histogram, History, RunEvent
from tests.support.simulation import AMPLE, simulate

SHORT = replace(AMPLE, baseline_s=8.0, surge_s=8.0, recovery_s=4.0, latency=(10.0, 12.0, 0.02))
Spoil = Callable[[Plan, History], tuple[Plan, History]]


@pytest.fixture(scope="module")
def run() -> tuple[Plan, History]:
    plan, history = simulate(SHORT)
    served = Objective("errors < 50%", None, "errors", None, "<", 0.5, None)
    return replace(plan, objectives=(served,)), history


def failing(plan: Plan, history: History) -> list[Check]:
    return [check for check in checks(observe(plan, history)) if not check.ok]


def changed(history: History, **lists: object) -> History:
    parts = {name: getattr(history, name) for name in History.__slots__}
    return History(**{**parts, **lists})


def test_a_sound_run_passes_every_check(run: tuple[Plan, History]) -> None:
    assert failing(*run) == []
    assert analyse(*run).verdict is Verdict.PASS


def drifting_baseline(plan: Plan, history: History) -> tuple[Plan, History]:
    slow = Histogram.of_us([80_000] * 5)
    samples = [replace(b, response_us=slow) if 4 <= b.second < 8 else b for b in history.samples]
    return plan, changed(history, samples=samples)


def failing_baseline(plan: Plan, history: History) -> tuple[Plan, History]:
    samples = [replace(b, ok=0, failed={"refused": b.ok}) if b.second == 3 else b for b in history.samples]
    return plan, changed(history, samples=samples)


def silent_stream(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, samples=[b for b in history.samples if b.stream != "positions"])


def missing_arrivals(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, samples=[b for b in history.samples if b.second != 12])


def bunched_arrivals(plan: Plan, history: History) -> tuple[Plan, History]:
    """As many arrivals as planned, but those of one second come in the next."""
    return plan, changed(history, samples=[replace(b, second=13) if b.second == 12 else b for b in history.samples])


def late_generator(plan: Plan, history: History) -> tuple[Plan, History]:
    lag = Histogram.of_us([400_000] * 100)
    return plan, changed(history, samples=[replace(b, lag_us=lag) if b.second == 12 else b for b in history.samples])


def busy_generator(plan: Plan, history: History) -> tuple[Plan, History]:
    resources = [
        replace(s, busy_s=0.95 * s.t_s) if s.resource == "generator/worker@0.cpu" else s for s in history.resources
    ]
    return plan, changed(history, resources=resources)


def fault_without_effect(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, receipts=[replace(receipt, effective=False) for receipt in history.receipts])


def fault_not_measured(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, receipts=[replace(receipt, effective=None) for receipt in history.receipts])


def fault_without_receipt(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, receipts=[])


def fault_never_applied(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, faults=[])


def event(name: str) -> Spoil:
    def spoil(plan: Plan, history: History) -> tuple[Plan, History]:
        return plan, changed(history, events=[*history.events, RunEvent(5.0, name, "engine ended with code 1")])

    return spoil


def no_metrics(plan: Plan, history: History) -> tuple[Plan, History]:
    kept = [sample for sample in history.resources if "db_pool" not in sample.resource]
    return plan, changed(history, resources=kept)


def metrics_with_a_gap(plan: Plan, history: History) -> tuple[Plan, History]:
    return plan, changed(history, resources=[sample for sample in history.resources if not 1 < sample.t_s < 6])


def test_metrics_may_be_missing_while_a_fault_cuts_them_off(run: tuple[Plan, History]) -> None:
    plan, history = run
    faults = [replace(e, t_s=15.0 if e.step == "lifted" else e.t_s) for e in history.faults if e.step != "proven_clean"]
    hidden = changed(
        history, faults=faults, resources=[sample for sample in history.resources if not 10.2 < sample.t_s < 14.8]
    )
    assert [check for check in failing(plan, hidden) if check.name == "resource metrics"] == []


def test_what_was_cut_short_is_not_asked_for_what_it_never_played(run: tuple[Plan, History]) -> None:
    plan, history = run
    cut = changed(
        history,
        samples=[batch for batch in history.samples if batch.second < 8],
        faults=[],
        receipts=[],
        events=[RunEvent(8.0, "gate", "trading was not steady.")],
    )
    assert [check.statement for check in failing(plan, cut)] == [
        "The gate after the baseline stayed shut, nothing was disturbed: trading was not steady."
    ]
    assert analyse(plan, cut).verdict is Verdict.INCONCLUSIVE


def held_up_loop(plan: Plan, history: History) -> tuple[Plan, History]:
    looks = [GeneratorHealth(t, 0, 0.1 * t, 0.3 if t % 3 == 0 else 0.001, 1, 1, 0) for t in range(20)]
    return plan, changed(history, generator=looks)


def test_arrivals_that_the_target_left_no_connection_for_are_told(run: tuple[Plan, History]) -> None:
    plan, history = run
    victim = history.samples[0]
    spoilt = replace(victim, failed={**victim.failed, "unsent": 3})
    seen = observe(plan, changed(history, samples=[spoilt, *history.samples[1:]]))
    (check,) = [check for check in checks(seen) if check.name == "generator connections"]
    assert (check.ok, check.statement.startswith("3 arrivals were never sent")) == (True, True)
    (check,) = [check for check in checks(seen, ["generator.connections"]) if check.name == "generator connections"]
    assert not check.ok


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (drifting_baseline, "baseline of trading"),
        (failing_baseline, "baseline of trading"),
        (silent_stream, "samples of positions"),
        (missing_arrivals, "offered load of trading"),
        (bunched_arrivals, "offered load of trading"),
        (late_generator, "generator lag"),
        (busy_generator, "generator cpu"),
        (held_up_loop, "generator loop"),
        (fault_without_effect, "fault latency-1"),
        (fault_not_measured, "fault latency-1"),
        (fault_without_receipt, "fault latency-1"),
        (fault_never_applied, "fault latency-1"),
        (event("gate"), "gate"),
        (event("component_died"), "components"),
        (event("restore_failed"), "faults"),
        (no_metrics, "resource metrics"),
        (metrics_with_a_gap, "resource metrics"),
    ],
)
def test_what_spoils_a_run_makes_it_inconclusive(run: tuple[Plan, History], spoil: Spoil, name: str) -> None:
    plan, history = spoil(*run)
    assert name in {check.name for check in failing(plan, history)}
    assert analyse(plan, history).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ([], Verdict.INCONCLUSIVE),
        ([RunEvent(1.3, "abort", "stopped from the keyboard, before the target was up")], Verdict.ABORTED),
    ],
)
def test_a_target_that_never_came_up_is_all_there_is_to_say(
    run: tuple[Plan, History], events: list[RunEvent], verdict: Verdict
) -> None:
    result = analyse(run[0], History(events=events))
    assert result.verdict is verdict
    assert [check.name for check in result.validity] == ["target"]
    assert [reason for reason in result.reasons if "steady" in reason or "could not be told" in reason] == []
    assert any(reason.startswith("The target was not up") for reason in result.reasons)


def test_a_full_host_is_told_and_voids_the_run_only_where_it_is_to_blame(run: tuple[Plan, History]) -> None:
    plan, history = run
    full = changed(history, host=[replace(host, cpu_busy_s=host.cpu_count * host.t_s) for host in history.host])
    seen = observe(plan, full)
    found = {blamed: next(c for c in checks(seen, blamed) if c.name == "host cpu") for blamed in ((), ("host.cpu",))}
    assert (found[()].ok, found["host.cpu",].ok) == (True, False)
    assert "full for 100% of the surge" in found[()].statement


def test_users_who_leave_no_sample_are_a_silent_stream(run: tuple[Plan, History]) -> None:
    plan, history = run
    users = replace(plan.streams[1], name="shoppers", users=5, expected_per_second=(0,) * 40, segments=())
    found = failing(replace(plan, streams=(*plan.streams, users)), history)
    assert "samples of shoppers" in [check.name for check in found]


def test_users_who_all_wait_for_an_answer_are_no_silent_stream(run: tuple[Plan, History]) -> None:
    plan, history = run
    users = replace(plan.streams[1], name="shoppers", users=5, expected_per_second=(0,) * 40, segments=())
    own = [replace(b, stream="shoppers") for b in history.samples if b.stream == "positions" and b.second < 16]
    ended = [
        replace(done, stream="shoppers", second=done.second + 3) for done in history.completions if done.second < 14
    ]
    waiting = changed(history, samples=[*history.samples, *own], completions=[*history.completions, *ended])
    found = failing(replace(plan, streams=(*plan.streams, users)), waiting)
    assert "samples of shoppers" not in [check.name for check in found]


def test_a_killed_run_says_so_and_is_not_asked_for_the_rest(run: tuple[Plan, History]) -> None:
    plan, history = run
    killed = changed(
        history,
        samples=[batch for batch in history.samples if batch.second < 9],
        phases=[event for event in history.phases if event.t_s < 9],
        faults=[],
        receipts=[],
    )
    found = failing(plan, killed)
    assert found[0].statement == "The records end at t = 9 s of 20 s: the run was killed."
    assert {"samples of trading", "offered load of trading"} & {check.name for check in found} == set()


@pytest.mark.parametrize(
    ("blamed", "ok"),
    [
        ((), True),
        (("region:us-east-1",), True),
        (("link:gateway->positions",), True),
        (("exchange/gateway.cpu",), False),
    ],
)
def test_a_machine_that_was_full_before_the_surge_is_told_and_no_rung(
    run: tuple[Plan, History], blamed: tuple[str, ...], ok: bool
) -> None:
    plan, history = run
    full = changed(history, host=[replace(host, cpu_busy_s=host.cpu_count * host.t_s) for host in history.host])
    seen = observe(plan, full)
    (told,) = [check for check in checks(seen, blamed) if check.name == "host cpu at baseline"]
    assert told.statement.startswith("The machine was full before the surge: its CPU had nothing left for 100% of")
    assert told.ok is ok
    assert "host.cpu" not in {rung.resource for rung in ladder(seen)}
    assert "exchange/gateway.db_pool" in {rung.resource for rung in ladder(seen)}
