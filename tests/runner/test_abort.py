"""An abort rule trips once every one of its seconds broke it, and not before."""

from pathlib import Path

import pytest

from chaoskit.runner.abort import AbortWatch
from chaoskit.runner.window import Seconds
from tests.runner.test_window import batch
from tests.support.shop_plan import DAY, shop_plan


def watch(folder: Path, rule: str) -> AbortWatch:
    plan = shop_plan(folder, f"{DAY}abort_when: ['{rule}']\n")
    return AbortWatch(plan.abort_rules, ["buying"])


def seconds_of(failures: list[int]) -> Seconds:
    seconds = Seconds()
    for second, failed in enumerate(failures):
        seconds.add(batch("buying", second, 10 - failed, timeout=failed))
    return seconds


@pytest.mark.parametrize(
    ("failures", "trips"),
    [
        ([9, 9, 9], True),
        ([0, 9, 9, 9], True),
        ([9, 9, 0, 9, 9], False),
        ([9, 9], False),
        ([5, 5, 5, 5], False),
        ([], False),
    ],
)
def test_errors_must_last(tmp_path: Path, failures: list[int], trips: bool) -> None:
    found = watch(tmp_path, "errors > 60% for 3s").tripped(seconds_of(failures), len(failures))
    assert (found is not None) is trips


def test_the_sentence_names_rule_and_seconds(tmp_path: Path) -> None:
    found = watch(tmp_path, "errors > 60% for 3s").tripped(seconds_of([0, 9, 9, 9]), 4)
    assert found == "errors > 60% for 3s held for 3 s, from second 1 to 3"


def test_latency_and_rate_rules(tmp_path: Path) -> None:
    seconds = seconds_of([0, 0, 0])
    assert watch(tmp_path, "p99 > 500us for 2s").tripped(seconds, 3)
    assert watch(tmp_path, "p99 > 2ms for 2s").tripped(seconds, 3) is None
    assert watch(tmp_path, "buying rate < 20/s for 2s").tripped(seconds, 3)


def test_a_second_without_arrivals_breaks_nothing(tmp_path: Path) -> None:
    assert watch(tmp_path, "errors > 60% for 1s").tripped(Seconds(), 5) is None
