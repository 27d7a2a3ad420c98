import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chaoskit.analysis.demand import Arrivals, Fit, Work, fit, non_negative_least_squares

ALL = np.ones(40, dtype=np.bool_)


def arrivals_of(offered: NDArray[np.float64], served: NDArray[np.float64] | None = None) -> Arrivals:
    kept = offered if served is None else served
    return Arrivals(
        offered, kept, (offered == kept).all(axis=1), np.zeros(len(offered), dtype=np.bool_), np.full(2, 100.0)
    )


def fitted(work_s: NDArray[np.float64], arrivals: Arrivals) -> Fit:
    return fit(Work(work_s, work_s), arrivals, ALL)


def counts(seed: int, low: int = 0, high: int = 200) -> NDArray[np.float64]:
    return np.random.default_rng(seed).integers(low, high, (40, 2)).astype(np.float64)


@given(
    seed=st.integers(0, 1000),
    demands=st.lists(st.floats(0, 1), min_size=2, max_size=4),
)
@settings(max_examples=60)
def test_least_squares_finds_the_demands_that_made_the_work(seed: int, demands: list[float]) -> None:
    matrix = np.random.default_rng(seed).uniform(0, 100, (30, len(demands)))
    found = non_negative_least_squares(matrix, matrix @ np.array(demands))
    assert found.tolist() == pytest.approx(demands, abs=1e-6)


@given(seed=st.integers(0, 1000), columns=st.integers(1, 4))
@settings(max_examples=60)
def test_least_squares_stays_non_negative_and_meets_the_optimality_conditions(seed: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    matrix, target = random.normal(size=(12, columns)), random.normal(size=12)
    found = non_negative_least_squares(matrix, target)
    gradient = matrix.T @ (target - matrix @ found)
    assert (found >= 0).all()
    assert (gradient <= 1e-6).all(), "no column could take more"
    assert np.abs(gradient[found > 0]).max(initial=0.0) < 1e-6, "no used column wants to change"


def test_work_of_what_was_served_is_told_from_what_was_offered() -> None:
    offered = counts(1)
    served = np.minimum(offered, 80.0)
    found = fitted(served @ np.array([0.01, 0.002]), arrivals_of(offered, served))
    assert found.basis == "served"
    assert found.demand_s.tolist() == pytest.approx([0.01, 0.002])


def test_offered_work_is_kept_where_both_explain_it() -> None:
    offered = counts(2)
    assert fitted(offered @ np.array([0.01, 0.0]), arrivals_of(offered)).basis == "offered"


def test_clean_windows_are_believed_where_neither_explains_the_rest() -> None:
    offered = counts(3, low=20)
    served = offered.copy()
    served[20:] /= 2
    work_s = offered @ np.array([0.01, 0.02])
    work_s[20:] = np.random.default_rng(3).uniform(0, 20, 20)
    found = fitted(work_s, arrivals_of(offered, served))
    assert found.basis == "clean"
    assert found.demand_s.tolist() == pytest.approx([0.01, 0.02])


def test_idle_resources_have_no_demand() -> None:
    found = fitted(np.zeros(40), arrivals_of(counts(4)))
    assert (found.basis, found.demand_s.tolist(), found.residual) == ("none", [0.0, 0.0], 0.0)


def test_background_work_is_no_demand() -> None:
    offered = counts(5)
    found = fitted(0.7 + offered @ np.array([0.001, 0.003]), arrivals_of(offered))
    assert found.demand_s.tolist() == pytest.approx([0.001, 0.003])
    assert found.background_s == pytest.approx(0.7)


def test_background_work_is_not_invented() -> None:
    offered = counts(6)
    assert fitted(offered @ np.array([0.001, 0.003]), arrivals_of(offered)).background_s == 0.0
    steady = np.full((40, 2), 100.0)
    assert fitted(0.7 + steady @ np.array([0.001, 0.003]), arrivals_of(steady)).background_s == 0.0


def test_what_was_served_of_a_single_mix_tells_nothing() -> None:
    offered = np.full((40, 2), 100.0)
    served = offered * [0.8, 0.4]
    found = fit(Work(offered @ np.array([0.0, 0.1]), np.full(40, 4.0)), arrivals_of(offered, served), ALL)
    assert found.basis == "offered"


def test_used_time_goes_with_what_was_served_and_offered_work_with_what_was_offered() -> None:
    offered = counts(7)
    served = np.minimum(offered, [200.0, 50.0])
    used_s = served @ np.array([0.0, 0.005])
    lighter = used_s * (offered.sum(axis=1) / served.sum(axis=1))
    found = fit(Work(lighter, used_s), arrivals_of(offered, served), ALL)
    assert found.basis == "served"
    assert found.demand_s.tolist() == pytest.approx([0.0, 0.005])
