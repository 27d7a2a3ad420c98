import math
from dataclasses import replace

import numpy as np
import pytest

from chaoskit.plan.evidence import samples_needed, thin_objectives
from chaoskit.plan.model import Objective, Plan
from chaoskit.records import carried
from tests.support.simulated_plan import AMPLE, plan_of

EMPTY = plan_of(AMPLE, {"trading": np.zeros(0), "positions": np.zeros(0)})
BASELINE_RPS = 10
"""Of each stream; the baseline lasts ten seconds."""


def planned(text: str, stream: str | None, quantile: float | None, phase: str | None) -> Plan:
    expected = (BASELINE_RPS,) * math.ceil(EMPTY.duration_s)
    objective = Objective(text, stream, "errors" if quantile is None else "quantile", quantile, "<", 0.25, phase)
    return replace(
        EMPTY,
        streams=tuple(replace(stream, expected_per_second=expected) for stream in EMPTY.streams),
        objectives=(objective,),
    )


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999])
def test_the_fewest_samples_are_just_enough(quantile: float) -> None:
    needed = samples_needed(quantile)
    assert needed is not None
    assert carried(needed, quantile)
    assert not carried(needed - 1, quantile)


def test_an_objective_with_too_few_arrivals_is_named_with_what_would_do() -> None:
    plan = planned("trading p99 < 250ms in baseline", "trading", 0.99, "baseline")
    assert thin_objectives(plan) == (
        "'trading p99 < 250ms in baseline' will rest on 100 arrivals; p99 needs 300: lengthen the phase or ask for p95",
    )


@pytest.mark.parametrize(
    ("stream", "quantile", "phase"),
    [
        pytest.param("trading", 0.9, "baseline", id="a lower percentile"),
        pytest.param("trading", 0.99, None, id="the whole run"),
        pytest.param("trading", None, "baseline", id="no percentile"),
    ],
)
def test_what_can_be_told_is_not_named(stream: str | None, quantile: float | None, phase: str | None) -> None:
    assert thin_objectives(planned("text", stream, quantile, phase)) == ()


def test_all_streams_together_carry_more() -> None:
    plan = planned("p98", None, 0.985, "baseline")
    assert thin_objectives(plan) == ()
    assert thin_objectives(planned("p98", "trading", 0.985, "baseline"))


def test_users_make_no_planned_number_of_arrivals() -> None:
    plan = planned("text", "trading", 0.99, "baseline")
    plan = replace(plan, streams=tuple(replace(stream, users=3) for stream in plan.streams))
    assert thin_objectives(plan) == ()


def test_no_number_of_arrivals_carries_the_maximum() -> None:
    assert samples_needed(1.0) is None
    assert "no number can carry p100" in thin_objectives(planned("text", "trading", 1.0, "baseline"))[0]
