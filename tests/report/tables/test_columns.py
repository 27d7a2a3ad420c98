from dataclasses import replace

import pytest

from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.report import tables


@pytest.mark.parametrize(
    ("value", "short"), [(1234.567, 1230), (0.0012345, 0.00123), (None, None), (float("nan"), None), (2.0, 2)]
)
def test_rounding(value: float | None, short: float | None) -> None:
    assert tables.rounded(value) == short


def test_long_runs_are_drawn_in_coarser_cells(plan: Plan) -> None:
    assert tables.cell_s(plan, History()) == 1
    assert tables.cell_s(replace(plan, duration_s=1500.0), History()) == 5
