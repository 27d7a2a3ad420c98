from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.disturbances import SETTLE_S, active_windows, disturbed_windows, fault_results
from chaoskit.records import FaultEvent, History, Receipt
from tests.support.simulated_plan import plan_of
from tests.support.simulation import AMPLE

PLAN = plan_of(replace(AMPLE, latency=(14.0, 18.0, 0.04)), {"trading": np.zeros(0), "positions": np.zeros(0)})
APPLIED, LIFTED = FaultEvent(14.3, "latency-1", "applied"), FaultEvent(18.2, "latency-1", "lifted")


def receipt(effective: bool | None, clean_after: bool | None = True) -> Receipt:
    return Receipt("latency-1", "link", "40 ms added", "41 ms added", effective, clean_after)


def test_a_fault_has_the_window_that_the_journal_says() -> None:
    fault = fault_results(PLAN, History.of([APPLIED, LIFTED, receipt(True)]))[0]
    assert (fault.applied_s, fault.lifted_s, fault.planned_start_s) == (14.3, 18.2, 14.0)
    assert np.flatnonzero(active_windows(PLAN, fault)).tolist() == [14, 15, 16, 17, 18]
    assert fault.receipts[0]["delivered"] == "41 ms added"


def test_what_was_never_applied_was_never_in_force() -> None:
    assert not active_windows(PLAN, fault_results(PLAN, History())[0]).any()


def test_what_was_never_lifted_lasts_as_planned() -> None:
    fault = fault_results(PLAN, History.of([APPLIED]))[0]
    assert np.flatnonzero(active_windows(PLAN, fault)).tolist() == [14, 15, 16, 17]


@pytest.mark.parametrize(
    ("effects", "effective"),
    [((True, True), True), ((True, False), False), ((None, True), True), ((None, None), None), ((), None)],
)
def test_a_fault_is_effective_where_no_link_denies_it(effects: tuple[bool | None, ...], effective: bool | None) -> None:
    fault = fault_results(PLAN, History.of([APPLIED, *(receipt(effect) for effect in effects)]))[0]
    assert fault.effective is effective


def test_one_dirty_link_is_not_clean() -> None:
    assert fault_results(PLAN, History.of([receipt(True), receipt(True, False)]))[0].clean_after is False


def test_demands_keep_away_from_a_fault_and_its_aftermath() -> None:
    faults = fault_results(PLAN, History.of([APPLIED, LIFTED]))
    disturbed = np.flatnonzero(disturbed_windows(PLAN, faults)).tolist()
    assert disturbed == list(range(13, 19 + SETTLE_S))
