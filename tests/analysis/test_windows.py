from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoskit.analysis.windows import differences, enclosed, means, resource_series, window_count, without_restarts
from chaoskit.records import History, HostSample, ResourceSample, UsageSample
from tests.support.simulation import AMPLE, simulate

COUNTERS = st.lists(st.floats(0, 1e6), min_size=2, max_size=40)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        pytest.param([0, 1, 3], [0, 1, 3], id="plain"),
        pytest.param([0, 10, 2, 4], [0, 10, 12, 14], id="restart"),
        pytest.param([0, 10, 9.5, 12], [0, 10, 10, 12], id="correction of accrued time"),
        pytest.param([5, 0, 1, 0, 2], [5, 5, 6, 6, 8], id="two restarts"),
    ],
)
def test_a_counter_never_falls(raw: Sequence[float], kept: Sequence[float]) -> None:
    assert without_restarts(raw).tolist() == kept


@given(COUNTERS)
def test_a_counter_without_restarts_grows_from_its_first_value(raw: list[float]) -> None:
    kept = without_restarts(raw)
    assert kept[0] == raw[0]
    assert (np.diff(kept) >= 0).all()


def test_a_level_is_averaged_over_the_window_in_which_it_moved() -> None:
    """2 until 1.5 s, 8 from 1.7 s on: as many servers as the time that they could be used for."""
    averaged = means(np.array([0.0, 1.5, 1.7, 3.0]), [2.0, 2.0, 8.0, 8.0], 3)
    assert averaged.tolist() == pytest.approx([2.0, 2 * 0.5 + 5 * 0.2 + 8 * 0.3, 8.0])


@given(st.lists(st.floats(0.01, 0.9), min_size=1, max_size=30), st.floats(0, 1e9))
def test_a_level_that_does_not_move_is_its_mean(gaps_s: list[float], level: float) -> None:
    times_s = np.cumsum(gaps_s)
    assert set(means(times_s, [level] * len(times_s), 10).tolist()) == {level}


def test_growth_is_shared_out_over_window_edges_by_time() -> None:
    grown = differences(np.array([0.0, 0.5, 2.5]), [0.0, 1.0, 5.0], 2)
    assert grown.tolist() == pytest.approx([2.0, 2.0])


@given(st.lists(st.floats(0.01, 2.0), min_size=2, max_size=30), st.floats(0.1, 100))
def test_no_growth_is_lost_or_made_up(gaps_s: list[float], rate: float) -> None:
    times_s = np.concatenate(([0.0], np.cumsum(gaps_s)))
    count = int(np.ceil(times_s[-1])) + 1
    assert differences(times_s, (rate * times_s).tolist(), count).sum() == pytest.approx(rate * times_s[-1])


def test_windows_outside_the_scrapes_and_in_gaps_are_not_known() -> None:
    known = enclosed(np.array([1.0, 2.0, 3.0, 7.0, 8.0]), 10)
    assert np.flatnonzero(known).tolist() == [1, 2, 7]


def test_one_scrape_proves_nothing() -> None:
    assert not enclosed(np.array([1.0]), 5).any()


def test_utilization_is_busy_over_servers() -> None:
    plan, _ = simulate(replace(AMPLE, surge_s=1.0, baseline_s=2.0, recovery_s=1.0))
    resource = plan.resources[1].id
    samples = [
        ResourceSample(t / 2, resource, 4, busy_s=t, blocked_s={"db_pool": t / 4}, completions=2 * t)
        for t in range(2 * window_count(plan))
    ]
    one = resource_series(plan, History.of(samples))[resource]
    assert one.utilization[one.known].tolist() == pytest.approx([0.5] * int(one.known.sum()))
    assert one.own_s[one.known].tolist() == pytest.approx([1.5] * int(one.known.sum()))
    assert one.arrivals.tolist() == one.completions.tolist(), "who counts no arrivals is taken at its completions"
    assert (one.instance, one.region) == ("gateway@us-east-1", "us-east-1")


@pytest.mark.parametrize(
    ("cores", "utilization"),
    [
        pytest.param("1", 0.9, id="a plain Python server"),
        pytest.param("3", 0.3, id="a few cores"),
        pytest.param("64", 0.225, id="no more than the host has"),
        pytest.param(None, 0.225, id="not declared"),
    ],
)
def test_the_host_and_unscraped_component_cpus_are_resources_too(cores: str | None, utilization: float) -> None:
    plan, _ = simulate(replace(AMPLE, surge_s=1.0, baseline_s=2.0, recovery_s=1.0))
    cpu = replace(
        plan.resources[0],
        id="exchange/engine.cpu",
        kind_id="exchange/engine.cpu",
        instance="engine",
        kind="cpu",
        setting=cores,
    )
    plan = replace(plan, resources=(*plan.resources, cpu))
    history = History(
        host=[HostSample(t, 3.0 * t, 4, 0) for t in range(5)],
        usage=[UsageSample(t, "engine", 0.9 * t, 0, 0) for t in range(5)],
    )
    series = resource_series(plan, history)
    assert series["host.cpu"].utilization[1] == pytest.approx(0.75)
    assert series["exchange/engine.cpu"].utilization[1] == pytest.approx(utilization)


def test_generator_resources_are_grouped_over_workers() -> None:
    plan, history = simulate(replace(AMPLE, surge_s=1.0, baseline_s=2.0, recovery_s=1.0))
    one = resource_series(plan, history)["generator/worker@0.cpu"]
    assert (one.kind_id, one.kind, one.region) == ("generator.cpu", "generator", None)
