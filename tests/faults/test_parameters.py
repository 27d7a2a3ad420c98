import math

import pytest

from chaoskit.errors import FaultFailed
from chaoskit.faults.catalogue import KINDS
from chaoskit.faults.parameters import check
from chaoskit.plan.model import Scalar
from tests.faults.support import fault


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("latency", {}, "delay_s is missing"),
        ("latency", {"delay_s": -1.0}, "delay_s: -1.0 is outside 0.001 … 3600"),
        ("latency", {"delay_s": "40ms"}, "delay_s: '40ms' is not a number"),
        ("latency", {"delay_s": True}, "delay_s: True is not a number"),
        ("latency", {"delay_s": math.nan}, "delay_s: nan is not a number"),
        ("latency", {"delay_s": 0.04, "latencyy": 1}, "latencyy is not a parameter of latency"),
        ("latency", {"delay_s": 0.04, "toxicity": 7}, "toxicity: 7 is outside 0.01 … 1"),
        ("latency", {"delay_s": 0.04, "stream": "sideways"}, "'sideways' is not one of downstream, upstream"),
        ("bandwidth", {"rate_bytes_per_s": -5}, "rate_bytes_per_s: -5 is outside"),
        ("slicer", {"size_bytes": 0}, "size_bytes: 0 is outside 1"),
        ("limit_data", {"limit_bytes": 0}, "limit_bytes: 0 is outside 1"),
        ("down", {"toxicity": 0.5}, "toxicity is not a parameter of down (it takes none)"),
        ("region_down", {"mode": "explode"}, "is not one of refuse, blackhole, reset, degraded"),
        ("region_down", {"mode": "degraded", "share": 2}, "share: 2 is outside 0.01 … 1"),
    ],
)
def test_a_value_that_toxiproxy_would_take_and_not_mean_is_refused(
    kind: str, parameters: dict[str, Scalar], said: str
) -> None:
    with pytest.raises(FaultFailed, match="cannot be applied") as caught:
        check(fault(kind, parameters), KINDS[kind].parameters)
    assert said in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(FaultFailed) as caught:
        check(fault("latency", {"jitter_s": -1, "speed": 3}), KINDS["latency"].parameters)
    assert all(word in str(caught.value) for word in ("delay_s is missing", "jitter_s", "speed"))


def test_a_variation_that_would_end_toxiproxy_is_kept_below_the_size() -> None:
    action = KINDS["slicer"].action(fault("slicer", {"size_bytes": 1, "variation_bytes": 5}))
    assert action.toxics[0].attributes == {"average_size": 1, "size_variation": 0, "delay": 0}
