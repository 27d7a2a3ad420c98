"""The gate opens on a steady baseline only."""

from pathlib import Path

import pytest

from chaoskit.records import Histogram, SampleBatch
from chaoskit.runner.gate import unsteady
from chaoskit.runner.window import Seconds
from tests.support.shop_plan import DAY, shop_plan


def seconds_of(medians_ms: list[float], failed: int = 0) -> Seconds:
    seconds = Seconds()
    for second, median_ms in enumerate(medians_ms):
        times = Histogram.of_us([round(median_ms * 1000)] * 100)
        failures = {"timeout": failed} if failed else {}
        seconds.add(SampleBatch("buying", "client->api", second, 0, 100, failures, 100, times, times, times))
    return seconds


@pytest.mark.parametrize(
    ("medians_ms", "failed", "reason"),
    [
        ([5, 5, 5, 5], 0, None),
        ([5, 6, 5, 6], 0, None),
        ([0.4, 0.4, 1.9, 1.9], 0, None),
        ([5, 5, 50, 50], 0, "upper quartile of response 5ms, then 50ms"),
        ([5, 5, 5, 5], 3, "errors 2.9%"),
        ([], 0, "no successful answer"),
        ([5, 5], 0, "one half of it has no successful answer"),
    ],
)
def test_what_is_steady(tmp_path: Path, medians_ms: list[float], failed: int, reason: str | None) -> None:
    found = unsteady(shop_plan(tmp_path), seconds_of(medians_ms, failed))
    assert found is None if reason is None else reason in (found or "")


def test_a_plan_without_baseline_has_no_gate(tmp_path: Path) -> None:
    plan = shop_plan(tmp_path, DAY.replace("  - baseline: {for: 4s}\n", "").replace("  - recovery: {for: 2s}\n", ""))
    assert plan.baseline_phase is None
    assert unsteady(plan, Seconds()) is None
