"""The built-in scenarios find the same, whatever the components run as and whichever Toxiproxy server is there."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from chaoskit.runner.run import Outcome

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
Day = dict[str, Any]
Play = Callable[[Day], Awaitable[Outcome]]
SCENARIOS = Path(__file__).parents[2] / "scenarios"

# Each scenario is played on two of the four pairs; both drivers and both servers have their turn with either.
PROCESSES = pytest.param("process", "embedded", id="processes, embedded")
CONTAINERS = pytest.param(
    "docker", "real", id="containers, real Toxiproxy", marks=[pytest.mark.docker, pytest.mark.toxiproxy]
)
CROSSWISE = [
    pytest.param("process", "real", id="processes, real Toxiproxy", marks=pytest.mark.toxiproxy),
    pytest.param("docker", "embedded", id="containers, embedded", marks=pytest.mark.docker),
]
POOL_SHARE = 2 * 2 / 0.0095 / 1000
"""Two regions' pools of two, each connection held for a query's 8 ms and what the database adds, of 1,000 a second."""


def built_in(name: str, driver: str, *times: dict[str, str]) -> Day:
    """Return a built-in scenario with other times: those of its phases, then those of its faults."""
    scenario: Day = YAML(typ="safe").load(SCENARIOS / f"{name}.yaml")
    scenario["target"]["driver"] = driver
    parts = [part for phase in scenario["phases"] for part in phase.values()] + scenario["faults"]
    for part, changed in zip(parts, times, strict=True):
        part.update(changed)
    return scenario


@pytest.mark.parametrize(("driver", "server"), [PROCESSES, CONTAINERS])
async def test_the_flagship_names_its_pool_at_the_same_load(
    driver: str, server: str, played: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSKIT_TOXIPROXY", server)
    phases = ({"for": "3s"}, {"for": "15s"}, {"for": "18s"}, {"for": "8s"})
    faults = ({"at": "7s", "for": "3s"}, {"at": "12s", "for": "3s"})
    scenario = built_in("liquidation-cascade", driver, *phases, *faults)
    result = (await played(scenario)).result
    first = result.bottlenecks[0]
    assert first.resource == "exchange/gateway.db_pool", result.headline
    assert first.saturates_at is not None
    assert first.saturates_at.share == pytest.approx(POOL_SHARE, rel=0.25), result.headline


@pytest.mark.parametrize(("driver", "server"), CROSSWISE)
async def test_a_lost_region_is_survived_by_those_who_go_elsewhere(
    driver: str, server: str, played: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOSKIT_TOXIPROXY", server)
    phases = ({"for": "2s"}, {"for": "6s"}, {"for": "10s"}, {"for": "6s"})
    scenario = built_in("region-outage", driver, *phases, {"at": "1s", "for": "6s"})
    result = (await played(scenario)).result
    assert result.bottlenecks[0].resource == "region:us-east-1", result.headline
    met = {objective.text: objective.met for objective in result.objectives}
    assert met["failover errors < 5% in outage"], result.headline
