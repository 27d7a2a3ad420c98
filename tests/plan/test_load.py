from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chaoskit import plan as planning
from chaoskit.plan import Plan
from chaoskit.plan.arrivals import share
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.flow import HttpRequest, RpcCall
from chaoskit.plan.load import baseline_of, stream_seed, surge_of
from chaoskit.plan.model import PlannedPhase, Segment
from chaoskit.scenario import load


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


TAPE_DAY = """\
version: 1
name: day
seed: 3
target: {external: {web: "http://127.0.0.1:8080"}}
load:
  trading: {request: {path: /}, arrivals: {kind: tape, file: day.csv}}
  steady: {request: {path: /}, rate: 10/s}
phases:
  - warmup: {for: 2s}
  - baseline: {for: 2s}
  - surge: {for: 3s, ramp: 1s, multiply: {steady: 2}}
objectives: [errors < 1%]
"""
COUNTS = (3, 0, 10, 30, 500, 2000, 37, 8)
ROWS = "".join(f"{second},trading,{count}\n" for second, count in enumerate(COUNTS))


def taped(folder: Path, text: str = TAPE_DAY, rows: str = ROWS) -> Plan:
    (folder / "day.csv").write_text(f"time,stream,count\n{rows}")
    (folder / "day.yaml").write_text(text)
    return planning.build(load(folder / "day.yaml"))


def test_a_tape_is_played_to_the_count_by_one_worker_or_many(tmp_path: Path) -> None:
    trading = taped(tmp_path).streams[0]
    assert trading.expected_per_second == COUNTS[:7]
    assert trading.baseline_rps == 20
    assert trading.surge_multiple == pytest.approx(2537 / 3 / 20)
    whole = planning.schedule(trading)
    parts = [share(whole, worker, 3) for worker in range(3)]
    merged = np.sort(np.concatenate([part.times_us for part in parts]))
    assert merged.tolist() == whole.times_us.tolist()
    in_fifth = whole.times_us[(whole.times_us >= 5_000_000) & (whole.times_us < 6_000_000)]
    assert np.diff(in_fifth).max() <= 501, "evenly within an interval"


def test_an_even_tape_has_no_surge(tmp_path: Path) -> None:
    text = TAPE_DAY.replace(", multiply: {steady: 2}", "")
    rows = "".join(f"{0.1 * tenth:.1f},trading,3\n" for tenth in range(80))
    assert taped(tmp_path, text, rows).surge_phase is None


def test_a_rate_beside_a_tape_is_its_mean_in_the_baseline(tmp_path: Path) -> None:
    plan = taped(tmp_path, TAPE_DAY.replace("arrivals: {kind", "rate: 2/s, arrivals: {kind"))
    trading = plan.streams[0]
    assert trading.baseline_rps == 2
    assert sum(trading.expected_per_second) == pytest.approx(sum(COUNTS[:7]) / 10, abs=1)
    assert plan.surge_phase == "surge"
    assert plan.phases[2].multiply == {"trading": pytest.approx(2537 / 3 / 20), "steady": 2.0}


def test_a_call_and_its_limits_reach_the_plan_and_come_back_from_it(tmp_path: Path) -> None:
    call = "{path: /rpc, jsonrpc: {method: eth_call, params: [{to: '0x1'}, latest]}}"
    more = "timeouts: {connect: 1s, first_byte: 2s}, error_code: code, rate: 10/s}"
    plan = taped(tmp_path, TAPE_DAY.replace("{request: {path: /}, rate: 10/s}", f"{{request: {call}, {more}"))
    steady = planning.decode(planning.encode(plan)).streams[1]
    assert steady == plan.streams[1]
    assert steady.flow.request == HttpRequest("POST", "/rpc", {}, "", RpcCall("eth_call", [{"to": "0x1"}, "latest"]))
    assert (steady.connect_timeout_s, steady.first_byte_timeout_s, steady.error_code) == (1.0, 2.0, "code")
