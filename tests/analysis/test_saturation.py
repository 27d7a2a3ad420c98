from dataclasses import replace

import numpy as np
import pytest

from chaoskit.analysis.saturation import saturated_windows, sustained
from chaoskit.analysis.windows import ResourceSeries

GATE = "exchange/gateway@r.workers"


def series(
    utilization: list[float], rejections: list[float] | None = None, *, kind: str = "pool", queue: float = 0.0
) -> ResourceSeries:
    zero = np.zeros(len(utilization))
    return ResourceSeries(
        id=GATE,
        kind_id="exchange/gateway.workers",
        kind=kind,
        known=np.ones(len(utilization), dtype=np.bool_),
        servers=zero + 2,
        busy_s=2 * np.array(utilization),
        blocked_s={},
        arrivals=zero,
        completions=zero,
        rejections=np.array(rejections or zero),
        wait_s=zero,
        queue_length=zero + queue,
        queue_limit=100.0,
    )


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(series([0.5, 0.99, 0.98, 0.5]), [1, 2], id="full for two windows"),
        pytest.param(series([0.5, 0.99, 0.5, 0.99]), [], id="full for a moment only"),
        pytest.param(series([0.6, 0.6, 0.6], [0, 4, 0]), [1], id="refused while busy"),
        pytest.param(series([0.1, 0.1, 0.1], [0, 4, 0]), [], id="refused while idle: the caller was gone"),
        pytest.param(series([0.0, 0.0], [7, 0], kind="limiter"), [0], id="a limiter's budget is spent at once"),
        pytest.param(series([0.9, 0.9], queue=99), [0, 1], id="queue at its limit"),
        pytest.param(series([0.9, 0.9], queue=50), [], id="queue half full"),
    ],
)
def test_saturation_rules(one: ResourceSeries, expected: list[int]) -> None:
    assert np.flatnonzero(saturated_windows({GATE: one})[GATE]).tolist() == expected


def test_a_full_queue_speaks_for_what_it_feeds() -> None:
    queue = replace(series([0.0, 0.0], [3, 0], kind="queue"), id="exchange/engine.queue", feeds="matching")
    fed = replace(series([0.5, 0.5]), id="exchange/engine.matching")
    found = saturated_windows({one.id: one for one in (queue, fed)})
    assert list(found) == ["exchange/engine.matching"]
    assert found["exchange/engine.matching"].tolist() == [True, False]


def test_sustained_needs_a_neighbour() -> None:
    assert sustained(np.array([True, False, True, True, False, True])).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("utilization", "servers", "expected"),
    [
        pytest.param([0.3, 0.95, 1.05, 0.95, 0.3], 0.2, [1, 2, 3], id="a tick is a twentieth of a fifth of a core"),
        pytest.param([0.3, 0.90, 1.10, 0.90, 0.3], 0.2, [1, 2, 3], id="two ticks, one at each end"),
        pytest.param([0.3, 0.90, 0.90, 0.90, 0.3], 0.2, [], id="not what ticks hide: they add up to nothing"),
        pytest.param([0.3, 0.95, 1.05, 0.95, 0.3], 2.0, [], id="and next to nothing of two cores"),
        pytest.param([0.7, 0.75, 0.75, 0.7], 0.001, [], id="nor all of a very small limit"),
    ],
)
def test_a_processor_is_full_as_far_as_ticks_tell(
    utilization: list[float], servers: float, expected: list[int]
) -> None:
    plain = series(utilization, kind="cpu")
    one = replace(
        plain, servers=np.full(len(utilization), servers), busy_s=servers * np.array(utilization), tick_s=0.01
    )
    assert np.flatnonzero(saturated_windows({GATE: one})[GATE]).tolist() == expected
