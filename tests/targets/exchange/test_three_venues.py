"""Three venues in one target: alike but for their letter, and made of what target.yaml has."""

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from chaoskit.plan import build
from chaoskit.scenario import load
from chaoskit.scenario.builtin import folder
from tests.support.exchange import SOURCE

VENUES: dict[str, Any] = YAML(typ="safe").load((SOURCE / "three-venues.yaml").read_text())
ONE: dict[str, Any] = YAML(typ="safe").load((SOURCE / "target.yaml").read_text())


def without_letter(described: dict[str, Any]) -> str:
    return re.sub(r"(gateway|engine|positions)-[abc]", r"\1", json.dumps(described))


@pytest.mark.parametrize("part", ["gateway", "engine", "positions"])
def test_venues_are_alike_and_made_of_the_same_components(part: str) -> None:
    described = [VENUES["components"][f"{part}-{letter}"] for letter in "abc"]
    assert len({without_letter(one) for one in described}) == 1
    component = json.loads(without_letter(described[0]))
    original = ONE["components"][part]
    assert set(component["command"]) <= set(original["command"])
    for name, setting in component["settings"].items():
        assert setting["default"] == original["settings"][name]["default"]
    for name, resource in component["resources"].items():
        assert resource["sized_by"] == original["resources"][name]["sized_by"]
    assert set(re.findall(r"\{settings\.(\w+)\}", " ".join(component["command"]))) == set(component["settings"])


def test_flows_and_credentials_are_the_exchanges() -> None:
    assert VENUES["credentials"] == ONE["credentials"]
    assert VENUES["flows"].items() <= ONE["flows"].items()


@pytest.mark.parametrize(("variant", "lost"), [(None, 3), ("second-provider", 2)])
def test_a_fault_of_the_region_strikes_the_venues_that_are_placed_there(variant: str | None, lost: int) -> None:
    plan = build(load(folder("scenarios") / "shared-cloud.yaml").chosen(variant))
    (fault,) = plan.faults
    struck = {link for link in fault.links if link.startswith("client->")}
    assert len(struck) == lost
    assert len(fault.links) == 4 * lost
