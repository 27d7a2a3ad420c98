"""Days with one planted bottleneck, drawn at random: what the analysis is scored on, blind."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tests.support.simulation import AMPLE, Day

KINDS: Final = (
    "pool",
    "pool under a mild fault",
    "limiter",
    "workers",
    "engine",
    "database",
    "link",
    "region",
    "generator cpu",
    "generator connections",
    "none",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A day, and the finding that its settings make true (None: nothing gives way)."""

    kind: str
    day: Day
    resource: str | None


def planted_days(count: int, seed: int) -> Iterator[Planted]:
    """Draw `count` days, every kind of bottleneck in turn; rates, times, sizes and arrivals are random."""
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield _plant(kind, random.Random(f"{seed}/{number}"), number)


def _plant(kind: str, draw: random.Random, seed: int) -> Planted:
    day = replace(
        AMPLE,
        seed=seed,
        baseline_s=8.0,
        surge_s=8.0,
        recovery_s=3.0,
        trading_rps=draw.uniform(4, 8),
        positions_rps=draw.uniform(1.5, 3),
        trading_multiple=draw.uniform(15, 30),
        positions_multiple=draw.uniform(60, 120),
        query_time_s=draw.uniform(0.01, 0.03),
        poisson=draw.random() < 0.7,
    )
    share = draw.uniform(0.3, 0.7)
    trading_rps, positions_rps = day.trading_rps * day.trading_multiple, day.positions_rps * day.positions_multiple
    per_region_rps = share * positions_rps / len(day.regions)
    busy = per_region_rps * day.query_time_s
    size = max(1, int(busy))
    # A size is a whole number: the query time is stretched so that exactly `share` of the surge fills it.
    sized = replace(day, query_time_s=size / per_region_rps)
    limit = int((trading_rps + positions_rps) * share / len(day.regions))
    fast_s = 1 / (trading_rps + positions_rps)
    planted: dict[str, tuple[Day, str | None]] = {
        "pool": (replace(sized, db_pool=size), "exchange/gateway.db_pool"),
        "pool under a mild fault": (
            replace(sized, db_pool=size, latency=(11.0, 14.0, 0.01)),
            "exchange/gateway.db_pool",
        ),
        "limiter": (replace(day, rate_limit=limit), "exchange/gateway.rate_limit"),
        "workers": (replace(sized, workers=size), "exchange/gateway.workers"),
        "engine": (replace(day, service_time_s=1 / (trading_rps * share)), "exchange/engine.matching"),
        "database": (replace(sized, connections=size), "exchange/positions.connections"),
        "link": (replace(day, latency=(11.0, 14.0, draw.uniform(0.3, 0.6))), "link:gateway->positions"),
        "region": (replace(day, region_lost=(11.0, 14.0)), "region:us-east-1"),
        "generator cpu": (replace(day, generator_cost_s=fast_s / share), "generator.cpu"),
        "generator connections": (
            replace(day, generator_connections=max(1, int(2 * busy))),
            "generator.connections",
        ),
        "none": (day, None),
    }
    return Planted(kind, *planted[kind])
