"""The YAML model of scenarios and targets, with problems told by file, line and column (layer 3)."""

from typing import Any

from chaoskit.scenario.alone import load_target
from chaoskit.scenario.builtin import Listed, list_scenarios
from chaoskit.scenario.loader import Loaded, find_manifest, load, load_manifest
from chaoskit.scenario.manifest import Manifest
from chaoskit.scenario.model import Scenario

__all__ = [
    "Listed",
    "Loaded",
    "Manifest",
    "Scenario",
    "find_manifest",
    "list_scenarios",
    "load",
    "load_manifest",
    "load_target",
    "schema",
    "target_schema",
]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file."""
    return {"$schema": _DIALECT, **Scenario.model_json_schema(by_alias=True)}


def target_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a target manifest."""
    return {"$schema": _DIALECT, **Manifest.model_json_schema(by_alias=True)}
