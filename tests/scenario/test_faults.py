from typing import Any

import pytest
from pydantic import ValidationError

from chaoskit.scenario.component_faults import ComponentFault
from chaoskit.scenario.faults import KINDS, FaultEntry, LinkFault, Partition, RegionDown


def entry(kind: str, parameters: dict[str, object]) -> FaultEntry:
    """Return a fault as it is read from a file."""
    return FaultEntry.model_validate({kind: parameters, "during": "surge"})


@pytest.mark.parametrize(
    ("kind", "given", "parameters", "title"),
    [
        ("latency", {"delay": "40ms"}, {"delay_s": 0.04, "jitter_s": 0.0}, "latency 40ms on a->b"),
        ("latency", {"delay": "1s", "jitter": "1s"}, {"delay_s": 1.0, "jitter_s": 1.0}, "latency 1s ± 1s on a->b"),
        ("bandwidth", {"rate": "64KiB/s"}, {"rate_bytes_per_s": 65536.0}, "bandwidth 65.5KB/s on a->b"),
        ("slow_close", {"delay": "2s"}, {"delay_s": 2.0}, "slow close 2s on a->b"),
        ("timeout", {}, {"after_s": 0.0}, "timeout on a->b"),
        ("timeout", {"after": "3s"}, {"after_s": 3.0}, "timeout after 3s on a->b"),
        ("reset_peer", {"after": "50ms"}, {"after_s": 0.05}, "reset peer after 50ms on a->b"),
        ("slicer", {"size": "64B"}, {"size_bytes": 64, "variation_bytes": 0, "delay_s": 0.0}, "slicer 64B on a->b"),
        ("limit_data", {"limit": "1MB"}, {"limit_bytes": 1_000_000}, "limit data 1MB on a->b"),
    ],
)
def test_toxics(kind: str, given: dict[str, object], parameters: dict[str, object], title: str) -> None:
    fault = entry(kind, {"link": "a->b", **given}).fault
    assert fault.parameters() == {**parameters, "toxicity": 1.0, "stream": "downstream"}
    assert fault.title() == title


def test_toxics_can_touch_a_share_and_the_other_direction() -> None:
    fault = entry("latency", {"link": "a->b", "delay": "5ms", "toxicity": "25%", "stream": "upstream"}).fault
    assert fault.parameters() == {"delay_s": 0.005, "jitter_s": 0.0, "toxicity": 0.25, "stream": "upstream"}


def test_a_link_that_is_down_has_no_parameters() -> None:
    fault = entry("down", {"link": "a->b"}).fault
    assert (fault.parameters(), fault.title()) == ({}, "down on a->b")


def test_a_lost_region() -> None:
    fault = entry("region_down", {"region": "us-east-1", "mode": "blackhole"}).fault
    assert isinstance(fault, RegionDown)
    assert (fault.parameters(), fault.title()) == ({"mode": "blackhole"}, "region down (blackhole) on us-east-1")


@pytest.mark.parametrize(
    ("kind", "parameters", "planned", "title"),
    [
        ("kill", {}, {}, "kill on positions"),
        ("restart", {"delay": "2s"}, {"delay_s": 2.0}, "restart after 2s on positions"),
        ("cpu_limit", {"cores": 0.5}, {"cores": 0.5}, "cpu limit 0.5 cores on positions"),
        ("memory_limit", {"limit": "128MB"}, {"limit_bytes": 128_000_000}, "memory limit 128MB on positions"),
    ],
)
def test_a_component_fault(kind: str, parameters: dict[str, Any], planned: dict[str, Any], title: str) -> None:
    fault = entry(kind, {"component": "positions", **parameters}).fault
    assert (fault.parameters(), fault.title()) == (planned, title)


def test_a_partition_says_between_what() -> None:
    fault = entry("partition", {"regions": ["east", "west", "north"]}).fault
    assert (fault.parameters(), fault.title()) == (
        {"mode": "blackhole"},
        "partition (blackhole) between east, west and north",
    )


def test_a_restart_lasts_as_long_as_its_delay() -> None:
    assert entry("restart", {"component": "positions", "delay": "2s"}).lasts_s == 2.0
    assert entry("kill", {"component": "positions"}).lasts_s is None


def test_every_kind_has_a_key_of_its_name() -> None:
    for kind, model in KINDS.items():
        assert FaultEntry.model_fields[kind].annotation == model | None
        assert issubclass(model, LinkFault | RegionDown | Partition | ComponentFault)


@pytest.mark.parametrize("kinds", [[], ["down", "latency"], ["down", "timeout", "slicer"]])
def test_an_entry_has_one_kind(kinds: list[str]) -> None:
    parameters = {"latency": {"link": "a->b", "delay": "5ms"}, "slicer": {"link": "a->b", "size": "5B"}}
    faults = {kind: parameters.get(kind, {"link": "a->b"}) for kind in kinds}
    with pytest.raises(ValidationError, match="exactly one kind"):
        FaultEntry.model_validate({**faults, "during": "surge"})
