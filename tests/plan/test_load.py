from dataclasses import replace

import pytest

from chaoskit.plan import Plan
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.load import baseline_of, stream_seed, surge_of
from chaoskit.plan.model import PlannedPhase, Segment


def phases(*multiples: tuple[str, float]) -> tuple[PlannedPhase, ...]:
    """Return phases of one second each, with one stream."""
    return tuple(
        PlannedPhase(name, float(at), at + 1.0, 0.0, {"stream": multiple})
        for at, (name, multiple) in enumerate(multiples)
    )


@pytest.mark.parametrize(
    ("run", "baseline", "surge"),
    [
        ([("a", 1)], "a", None),
        ([("warmup", 1), ("normal", 1), ("peak", 5)], "normal", "peak"),
        ([("warmup", 1), ("peak", 5)], None, "peak"),
        ([("one", 1), ("two", 1), ("peak", 5), ("after", 1)], "two", "peak"),
        ([("one", 1), ("baseline", 2), ("peak", 5)], "baseline", "peak"),
        ([("one", 1), ("peak", 5), ("higher", 9), ("same", 9)], "one", "higher"),
        ([("one", 1), ("less", 0.5)], "one", None),
        ([("peak", 5), ("after", 1)], None, "peak"),
    ],
)
def test_which_phases_are_compared(run: list[tuple[str, float]], baseline: str | None, surge: str | None) -> None:
    found_baseline, found_surge = baseline_of(phases(*run)), surge_of(phases(*run))
    assert (found_baseline and found_baseline.name) == baseline
    assert (found_surge and found_surge.name) == surge


def test_the_rate_runs_in_straight_lines(full: Plan) -> None:
    buying = full.streams[0]
    assert buying.segments == (
        Segment(0.0, 1.0, 0.0, 10.0),
        Segment(1.0, 4.0, 10.0, 10.0),
        Segment(4.0, 6.0, 10.0, 100.0),
        Segment(6.0, 14.0, 100.0, 100.0),
        Segment(14.0, 15.5, 0.0, 0.0),
        Segment(15.5, 18.5, 10.0, 10.0),
    )
    assert buying.expected_per_second == (5, 10, 10, 10, 32, 78, *[100] * 8, 0, 5, 10, 10, 5)
    assert (buying.baseline_rps, buying.surge_multiple, buying.routing, buying.timeout_s) == (
        10.0,
        10.0,
        "failover",
        2.0,
    )


def test_flows_of_every_kind(full: Plan) -> None:
    buying, browsing, asking, own, people = full.streams
    assert (buying.flow.kind, buying.flow.reference) == ("python", "shop_flows:buy")
    assert buying.flow.search_path.endswith("/targets/shop")
    assert browsing.arrivals == "poisson"
    assert asking.flow.request is not None
    assert (asking.flow.request.method, asking.flow.request.path) == ("POST", "/ask?price=1")
    assert asking.flow.request.headers == {"X-Key": "abc"}
    assert (own.flow.kind, own.flow.reference) == ("python", "shop_flows:buy")
    assert (people.flow.kind, people.flow.reference, people.users) == ("locustfile", "shoppers.py", 5)
    assert people.segments[1] == Segment(1.0, 4.0, 5.0, 5.0)
    assert sum(people.expected_per_second) == 0


def test_streams_have_seeds_of_their_own(full: Plan) -> None:
    seeds = [stream.seed for stream in full.streams]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert stream_seed(1, "a") != stream_seed(2, "a") != stream_seed(2, "b")


def test_clients_are_in_the_plan_with_a_seed_of_their_own(full: Plan) -> None:
    asking = full.streams[2]
    assert asking.routing == "round_robin"
    assert asking.hedge == PlannedHedge(0.03, ("GET",), 0.05)
    assert asking.retries is not None
    assert asking.retries.seed == stream_seed(42, "asking/retries")
    assert replace(asking.retries, seed=0) == PlannedRetries(
        attempts=4,
        on=("refused", "timeout", "status 429", "status 5xx"),
        methods=("GET", "POST"),
        budget_ratio=0.2,
        reserve=5,
        backoff_s=0.05,
        backoff_max_s=2.0,
        jitter="none",
        retry_after=True,
        per_try_timeout_s=0.5,
    )
    assert (full.streams[0].retries, full.streams[0].hedge) == (None, None)
