"""The result that an analysis of the made-up run would give, written by hand, and lesser ones derived from it."""

from dataclasses import asdict

from chaoskit.analysis.result import (
    Bottleneck,
    CauseStep,
    Check,
    Evidence,
    FaultResult,
    ObjectiveResult,
    Recovery,
    Result,
    Rung,
    SaturationPoint,
    StreamPhase,
    Verdict,
)
from chaoskit.records import Receipt
from tests.support.sample_run import STREAMS


def point(share: float) -> SaturationPoint:
    """Return the load at `share` of the made-up run's surge."""
    multiples = {stream: 1 + share * (multiple - 1) for stream, (_, multiple) in STREAMS.items()}
    return SaturationPoint(
        share, multiples, {stream: STREAMS[stream][0] * times for stream, times in multiples.items()}
    )


def _rung(resource: str, kind: str, share: float, used: float, setting: str | None = None) -> Rung:
    return Rung(
        resource=f"exchange/{resource}",
        kind=kind,
        saturates_at=point(share),
        own_share=share * 1.6 if kind == "pool" else None,
        baseline_utilization=used / 400,
        surge_utilization=used,
        demand_s=0.004,
        capacity_per_s=2000.0,
        setting=setting,
        saturated=used >= 0.97,
    )


def _phase(offered_rps: float, errors_ratio: float, p99_s: float, seconds: float) -> StreamPhase:
    offered = round(offered_rps * seconds)
    failed = round(offered * errors_ratio)
    return StreamPhase(
        offered=offered,
        ok=offered - failed,
        failed={"status 503": failed - failed // 3, "timeout": failed // 3} if failed else {},
        offered_rps=offered_rps,
        ok_rps=offered_rps * (1 - errors_ratio),
        errors_ratio=errors_ratio,
        response_s={"p50": p99_s / 4, "p99": p99_s} | ({"p99.9": p99_s * 2} if offered > 10_000 else {}),
        service_s={"p50": p99_s / 6, "p99": p99_s / 1.6},
        lag_p99_s=0.0018,
        attempts_per_arrival=1.0 + errors_ratio,
    )


def failed_result() -> Result:
    """Return a run that failed, with a bottleneck, a ladder of six, two faults and everything else that a page shows."""
    receipt = Receipt(
        "latency-1", "gateway@us-east-1->positions@us-east-1", "40ms ± 10ms", "41.2ms ± 9.8ms", True, True,
        "added delay", "ms", 0.31, 41.5, 0.3, 40,
    )  # fmt: skip
    lost = Receipt(
        "region_down-1", "client->gateway@us-east-1", "blackhole", "no answer to 12 of 12 probes", True, True,
        "share unanswered", "", 0.0, 1.0, 0.0, 24,
    )  # fmt: skip
    return Result(
        version=1,
        scenario="liquidation-cascade",
        title="Trading ×100, position queries ×1000",
        verdict=Verdict.FAIL,
        headline="The pool gateway.db_pool (8) ran out at a third of the surge: position queries ×341 hold every connection.",
        reasons=("2 of 4 objectives are broken: trading errors in surge, recovery.",),
        objectives=(
            ObjectiveResult("trading p99 < 250ms in baseline", True, 0.0082, 0.25, "s", "4 times below the bound"),
            ObjectiveResult("trading errors < 1% in surge", False, 0.331, 0.01, "ratio", "16,550 of 50,000 arrivals failed, most by status 503"),
            ObjectiveResult("positions rate > 500/s in surge", True, 1162.0, 500.0, "/s", ""),
            ObjectiveResult("recovery < 10s", None, None, 10.0, "s", "the run ended before quotes was good for 5s"),
        ),
        bottlenecks=(
            Bottleneck(
                resource="exchange/gateway.db_pool",
                kind="pool",
                title="The connection pool of the gateway (8) is too small for the position queries",
                saturates_at=point(0.34),
                prediction="With gateway.db_pool 8 → 24 the surge is carried up to share 0.81; then engine.matching gives way.",
                capacity_per_s=2000.0,
                utilization=1.0,
                confidence=0.92,
                evidence=(
                    Evidence("Every connection was held for 46 of 50 s of the surge (baseline 0.9%).", "resource_busy_seconds_total"),
                    Evidence("Its queue stood at the limit of 256 from 24.0s on.", "resource_queue_length"),
                    Evidence("The database behind it was 31% used: it was not the one that was slow.", "resource_busy_seconds_total"),
                ),
                cause_chain=(
                    CauseStep("positions", "symptom", "33% of the position queries failed in the surge, p99 rose from 8ms to 1.2s."),
                    CauseStep("exchange/gateway.workers", "victim", "Workers were held for 96% of their time waiting for db_pool."),
                    CauseStep("exchange/gateway.db_pool", "root", "All 8 connections were held, each for 4ms by a database that was idle: the pool is too small."),
                ),
                fault=None,
                setting="gateway.db_pool",
            ),
            Bottleneck(
                resource="region:us-east-1", kind="region", title="The region us-east-1 was lost for 10 s", saturates_at=None,
                prediction="Clients that fail over would have been served by eu-west-1 up to surge share 0.17.",
                capacity_per_s=None, utilization=None, confidence=0.88,
                evidence=(Evidence("9 of 10 arrivals at us-east-1 timed out from 55.0s to 65.0s.", "samples"),),
                cause_chain=(), fault="region_down-1",
            ),
        ),
        ladder=(
            _rung("gateway.db_pool", "pool", 0.34, 1.0, "gateway.db_pool"),
            _rung("engine.matching", "server", 0.81, 0.62, "engine.service_time"),
            _rung("gateway.workers", "server", 0.95, 0.98, "gateway.workers"),
            _rung("gateway.rate_limit", "limiter", 1.9, 0.4, "gateway.rate_limit"),
            _rung("positions.connections", "pool", 6.0, 0.31),
            _rung("engine.cpu", "cpu", 240.0, 0.05),
        ),
        streams={
            stream: {
                "baseline": _phase(base, 0.0, 0.0082, 20),
                "surge": _phase(base * times, 0.0 if stream == "quotes" else 0.331, 1.2, 50),
                "recovery": _phase(base, 0.0, 0.0091, 20),
            }
            for stream, (base, times) in STREAMS.items()
        },
        faults=(
            FaultResult("latency-1", "latency", "latency on gateway->positions: 40ms ± 10ms", 35.0, 45.0, 35.02, 45.0, (asdict(receipt),), True, True),
            FaultResult("region_down-1", "region_down", "region us-east-1 down: blackhole", 55.0, 65.0, 55.02, 65.0, (asdict(lost),), True, True),
        ),
        recovery=(
            Recovery("trading", "the end of the surge", 70.0, 0.4, 1.2, True, 0.0, 1.31),
            Recovery("positions", "region_down-1", 65.0, None, None, False, 212.0, 2.4),
            Recovery("quotes", "the end of the surge", 70.0, None, None, None, 0.0, 1.0),
        ),
        validity=(
            Check("baseline steady", True, "Both halves of the baseline agree within 25%."),
            Check("generator on time", True, "p99 of its lag was 1.8ms, the bound is 50ms."),
            Check("receipts", True, "Each of the 2 faults has a receipt that shows its effect."),
        ),
        expected_bottleneck="exchange/gateway.db_pool",
        expectation_met=True,
        provenance={
            "command": "/opt/bin/chaoskit run liquidation-cascade --seed 20251010",
            "git": {"commit": "0123abc", "dirty": False},
            "chaoskit": "0.1.0",
            "host": {"cpu_count": 4},
            "started_at": "2026-11-22T20:00:00+00:00",
        },
    )  # fmt: skip
