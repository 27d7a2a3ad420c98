from collections.abc import Mapping

import pytest

from chaoskit.faults.catalogue import KINDS
from chaoskit.faults.contract import Toxic
from chaoskit.plan.model import Scalar
from tests.faults.support import fault

BLACK = {"timeout": 0}


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence", "toxics"),
    [
        (
            "latency",
            {"delay_s": 0.04, "jitter_s": 0.01},
            "adds 40ms ± 10ms",
            [Toxic("latency", {"latency": 40, "jitter": 10})],
        ),
        (
            "latency",
            {"delay_s": 1.5, "stream": "upstream", "toxicity": 0.25},
            "adds 1.5s on 25% of connections",
            [Toxic("latency", {"latency": 1500, "jitter": 0}, "upstream", 0.25)],
        ),
        ("bandwidth", {"rate_bytes_per_s": 64_000.0}, "limits data to 64KB/s", [Toxic("bandwidth", {"rate": 64})]),
        ("slow_close", {"delay_s": 2.0}, "holds the close for 2s", [Toxic("slow_close", {"delay": 2000})]),
        ("timeout", {}, "lets no data through", [Toxic("timeout", BLACK)]),
        (
            "timeout",
            {"after_s": 0.5},
            "lets no data through and closes after 500ms",
            [Toxic("timeout", {"timeout": 500})],
        ),
        ("reset_peer", {}, "resets connections", [Toxic("reset_peer", BLACK)]),
        (
            "reset_peer",
            {"after_s": 0.1, "toxicity": 0.5},
            "resets 50% of connections 100ms after the first data",
            [Toxic("reset_peer", {"timeout": 100}, toxicity=0.5)],
        ),
        (
            "slicer",
            {"size_bytes": 64, "variation_bytes": 16, "delay_s": 0.002},
            "cuts data into pieces of 64B ± 16B with 2ms after each",
            [Toxic("slicer", {"average_size": 64, "size_variation": 16, "delay": 2000})],
        ),
        (
            "limit_data",
            {"limit_bytes": 64_000},
            "closes connections after 64KB",
            [Toxic("limit_data", {"bytes": 64_000})],
        ),
        ("down", {}, "refuses every connection", None),
        ("region_down", {}, "refuses every connection", None),
        (
            "region_down",
            {"mode": "blackhole"},
            "lets no data through in either direction",
            [Toxic("timeout", BLACK, "downstream"), Toxic("timeout", BLACK, "upstream")],
        ),
        ("region_down", {"mode": "reset"}, "resets every connection", [Toxic("reset_peer", BLACK)]),
        (
            "region_down",
            {"mode": "degraded", "share": 0.3},
            "resets 30% of connections",
            [Toxic("reset_peer", BLACK, toxicity=0.3)],
        ),
    ],
)
def test_a_kind_says_what_it_does_and_does_it_in_toxiproxys_units(
    kind: str, parameters: Mapping[str, Scalar], sentence: str, toxics: list[Toxic] | None
) -> None:
    planned = fault(kind, parameters)
    action = KINDS[kind].action(planned)
    assert KINDS[kind].describe(planned) == sentence
    assert action == KINDS[kind].action(planned)
    assert action.enabled is (toxics is not None)
    assert list(action.toxics) == (toxics or [])
