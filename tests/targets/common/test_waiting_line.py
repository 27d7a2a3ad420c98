"""Lines without an event loop: who is next, and how long one may wait."""

import math
from asyncio import Future
from types import SimpleNamespace
from typing import cast

import pytest
from service.waiting_line import ControlledDelay, Waiter, WaitingLine

NOBODY = cast("Future[object]", SimpleNamespace())


def waiter(arrived_s: float, *, urgent: bool = False) -> Waiter:
    return Waiter(arrived_s, urgent, NOBODY)


def served(line: WaitingLine, now_s: float) -> list[float]:
    """When each came, in the order of their turns."""
    return [line.take(now_s).arrived_s for _ in range(len(line))]


def test_first_come_first_served() -> None:
    line = WaitingLine()
    for arrived_s in (1.0, 1.5, 2.0):
        line.add(waiter(arrived_s, urgent=arrived_s == 2.0))
    assert line.patience_s(9.0, urgent=False) == math.inf
    assert served(line, 9.0) == [1.0, 1.5, 2.0]


@pytest.mark.parametrize(
    ("now_s", "patience_s", "order"), [(10.09, 0.1, [10.0, 10.02, 10.04]), (10.11, 0.005, [10.04, 10.02, 10.0])]
)
def test_a_standing_line_turns_round_and_loses_its_patience(
    now_s: float, patience_s: float, order: list[float]
) -> None:
    line = ControlledDelay()
    assert line.patience_s(10.0, urgent=False) == 0.1
    for arrived_s in (10.0, 10.02, 10.04):
        line.add(waiter(arrived_s))
    assert line.patience_s(now_s, urgent=False) == patience_s
    assert served(line, now_s) == order


def test_a_line_that_was_empty_a_moment_ago_is_patient_again() -> None:
    line = ControlledDelay()
    line.add(waiter(10.0))
    line.take(10.2)
    line.add(waiter(10.21))
    assert line.patience_s(10.22, urgent=False) == 0.1


def test_what_lowers_risk_waits_to_its_deadline_and_goes_first() -> None:
    line = ControlledDelay()
    late = waiter(10.3, urgent=True)
    for one in (waiter(10.0), waiter(10.1, urgent=True), waiter(10.2), late):
        line.add(one)
    assert line.patience_s(11.0, urgent=True) == math.inf
    line.remove(late)
    assert served(line, 11.0) == [10.1, 10.2, 10.0]
