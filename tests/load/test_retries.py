"""Budget, back-off, conditions and Retry-After: pure."""

import random
from datetime import UTC, datetime

import pytest

from chaoskit.load.request import PreparedRequest
from chaoskit.load.retries import Backoff, Budget, Conditions, backoff_of, retry_after_s
from chaoskit.plan.clients import PlannedRetries

NOW = datetime(2026, 7, 4, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(("ratio", "reserve", "requests"), [(0.2, 10, 1000), (0.1, 1, 200), (1.0, 3, 50), (0.0, 5, 90)])
def test_a_budget_bounds_retries_by_its_share_and_reserve(ratio: float, reserve: int, requests: int) -> None:
    budget, retries = Budget(ratio, reserve), 0
    for _ in range(requests):
        budget.pay_in()
        while budget.take():
            retries += 1
    assert reserve + ratio * requests - 2 <= retries <= reserve + ratio * requests


def test_a_quiet_baseline_saves_nothing_up_for_a_storm() -> None:
    budget = Budget(0.2, 10)
    for _ in range(100_000):
        budget.pay_in()
    assert sum(budget.take() for _ in range(1000)) == 10


def test_without_jitter_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(0.05, 1.0, None)
    assert [backoff.pause_s(retry) for retry in range(7)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert backoff.pause_s(5000) == 1.0


def test_full_jitter_is_spread_evenly_below_the_pause() -> None:
    backoff = Backoff(0.1, 1.0, random.Random(7))
    drawn = [backoff.pause_s(1) for _ in range(2000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.19 < max(drawn) <= 0.2
    assert sum(drawn) / len(drawn) == pytest.approx(0.1, abs=0.005)


def test_jitter_is_seeded_and_each_process_draws_its_own() -> None:
    planned = PlannedRetries(3, ("reset",), ("GET",), backoff_s=0.1, seed=5)
    one, again, other = (backoff_of(planned, worker) for worker in (0, 0, 1))
    drawn = [one.pause_s(1) for _ in range(5)]
    assert drawn == [again.pause_s(1) for _ in range(5)]
    assert drawn != [other.pause_s(1) for _ in range(5)]


@pytest.mark.parametrize(
    ("method", "reason", "held"),
    [
        ("GET", "reset", True),
        ("GET", "closed", False),
        ("GET", "status 503", True),
        ("GET", "status 429", True),
        ("GET", "status 500", False),
        ("GET", "timeout", True),
        ("GET", "connect_timeout", True),
        ("POST", "reset", False),
        ("POST", "status 503", False),
        ("POST", "timeout", False),
        ("POST", "refused", True),
        ("POST", "connect_timeout", True),
    ],
)
def test_what_may_have_been_carried_out_is_sent_again_only_where_its_method_is_named(
    method: str, reason: str, held: bool
) -> None:
    conditions = Conditions(("reset", "refused", "timeout", "status 503", "status 4xx"), ("GET",))
    assert conditions.hold(PreparedRequest.build(method, "/"), reason) is held


def test_a_named_method_is_sent_again() -> None:
    assert Conditions(("timeout",), ("POST",)).hold(PreparedRequest.build("POST", "/"), "timeout")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("Sat, 04 Jul 2026 12:00:30 GMT", 30.0),
        ("Saturday, 04-Jul-26 12:00:30 GMT", 30.0),
        ("Sat Jul  4 12:00:30 2026", 30.0),
        ("Sat, 04 Jul 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds
