"""Plans to look at, built from the scenarios and the target that the scenario tests use."""

from pathlib import Path

import pytest

from chaoskit.plan import Plan, build
from chaoskit.scenario import load

SCENARIOS = Path(__file__).parents[1] / "scenario" / "good"
TARGETS = Path(__file__).parents[1] / "scenario" / "targets"


def plan_of(name: str, seed: int | None = None) -> Plan:
    """Return the plan of one of the good scenarios."""
    return build(load(name, search=[SCENARIOS, TARGETS], seed=seed))


@pytest.fixture(scope="session")
def full() -> Plan:
    """The plan of `full.yaml`, which uses every key once."""
    return plan_of("full")


@pytest.fixture(scope="session")
def external() -> Plan:
    """The plan of `external.yaml`, whose target is given by URLs."""
    return plan_of("external")


@pytest.fixture(scope="session")
def least() -> Plan:
    """The plan of `least.yaml`, the shortest scenario there is."""
    return plan_of("least")
