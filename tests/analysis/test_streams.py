from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.streams import entry_series, late_bounds_s, stream_phase, stream_phases
from chaoskit.plan.model import Objective
from chaoskit.records import Completions, Histogram, History, SampleBatch
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

PLAN = replace(plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)}), objectives=())
NONE = Histogram()


def batch(second: int, ok_us: list[int], *, entry: str = "e", failed: dict[str, int] | None = None) -> SampleBatch:
    times = Histogram.of_us(ok_us)
    sent = len(ok_us) + sum((failed or {}).values())
    return SampleBatch(
        "trading", entry, second, 0, len(ok_us), failed or {}, 2 * sent, times, times, Histogram.of_us([7] * sent)
    )


def test_batches_of_a_phase_add_up() -> None:
    phase = stream_phase([batch(0, [1000] * 30), batch(1, [3000] * 10, failed={"timeout": 10, "reset": 0})], 2.0)
    assert (phase.offered, phase.ok, phase.failed) == (50, 40, {"reset": 0, "timeout": 10})
    assert (phase.offered_rps, phase.ok_rps) == (25.0, 20.0)
    assert phase.errors_ratio == pytest.approx(0.2)
    assert phase.attempts_per_arrival == 2.0
    assert phase.lag_p99_s == 7e-6
    assert phase.response_s == {"p50": pytest.approx(0.001, rel=0.01), "p90": pytest.approx(0.003, rel=0.01)}


def test_a_silent_phase_is_all_zero() -> None:
    phase = stream_phase([], 5.0)
    assert (phase.offered, phase.errors_ratio, phase.response_s, phase.lag_p99_s) == (0, 0.0, {}, None)


def test_phases_are_cut_at_whole_seconds_of_the_intended_start() -> None:
    phases = stream_phases(PLAN, History.of([batch(9, [1]), batch(10, [1, 1]), batch(30, [1, 1, 1])]))
    assert {name: phase.offered for name, phase in phases["trading"].items()} == {
        "baseline": 1,
        "surge": 2,
        "recovery": 3,
    }


def test_late_is_ten_times_the_baseline_or_what_an_objective_says() -> None:
    history = History.of([batch(1, [5_000] * 400)])
    phases = stream_phases(PLAN, history)
    assert late_bounds_s(PLAN, phases, "trading")[15] == pytest.approx(0.05, rel=0.01)
    bound = Objective("trading p99 < 30ms in surge", "trading", "quantile", 0.99, "<", 0.03, "surge")
    bounds = late_bounds_s(replace(PLAN, objectives=(bound,)), phases, "trading")
    assert (bounds[15], bounds[35]) == (0.03, pytest.approx(0.05, rel=0.01))


def test_harm_is_what_failed_or_came_late_by_entry() -> None:
    history = History.of(
        [
            batch(1, [5_000] * 400),
            batch(12, [5_000] * 6 + [900_000] * 2, failed={"reset": 2}),
            batch(12, [5_000], entry="f"),
            Completions("trading", "e", 13, 0, 8, 2),
        ]
    )
    first, second = entry_series(PLAN, history, stream_phases(PLAN, history))
    assert (first.entry, second.entry) == ("e", "f")
    assert (first.offered[12], first.ok[12], first.late[12], first.harmed[12]) == (10, 8, 2, 4)
    assert (first.served[12], first.served[13]) == (0, 8)
    assert second.harmed.sum() == 0
