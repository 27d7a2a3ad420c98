"""What can still be checked of a file in which something is wrong, so that all problems are told at once."""

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chaoskit.errors import Problem
from chaoskit.scenario.document import Document, Location
from chaoskit.scenario.manifest import Manifest
from chaoskit.scenario.model import Scenario
from chaoskit.scenario.problems import validate

_LISTS: Final = ("phases", "faults", "objectives", "abort_when")
_PLACEHOLDERS: Final[Mapping[str, object]] = {
    "version": 1,
    "name": "placeholder",
    "target": {"external": {"placeholder": "http://127.0.0.1"}},
    "load": {"placeholder": {"request": {"path": "/"}, "rate": "0/s"}},
    "phases": [{"placeholder": {"for": "24h"}}],
}
# What stands for a part of a manifest that is not sound: never a cause for a finding of its own.
_MENDED: Final[Mapping[Location, object]] = {
    ("version",): 1,
    ("name",): "placeholder",
    ("components", "*", "per"): "region",
    ("components", "*", "entry"): True,
    ("components", "*", "command"): ["placeholder"],
    ("components", "*", "container"): {"image": "placeholder"},
    ("components", "*", "ports", "*"): {},
    ("components", "*", "settings", "*"): {"type": "text", "default": ""},
    ("components", "*", "resources", "*"): {"kind": "pool"},
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario without its unsound parts. `broken` names the top-level keys that lost something.

    `kept` says, for a list that lost items, at which index of the file each of the rest stands.
    """

    scenario: Scenario
    broken: frozenset[str] = frozenset()
    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def in_file(self, location: Location) -> Location:
        """Return where in the file a location of the draft stands."""
        if len(location) > 1 and location[0] in self.kept and isinstance(location[1], int):
            kept = self.kept[str(location[0])]
            return (location[0], kept[location[1]], *location[2:]) if location[1] < len(kept) else (location[0],)
        return location


def draft(document: Document) -> tuple[Draft, list[Problem]]:
    """Return the scenario in `document`, or what is sound of it, with the problems of the rest."""
    scenario, problems, locations = validate(Scenario, document)
    if scenario is not None:
        return Draft(scenario), problems
    data = document.data if isinstance(document.data, Mapping) else {}
    broken = {str(location[0]) for location in locations if location}
    sound: dict[str, Any] = {key: value for key, value in data.items() if key not in broken}
    kept: dict[str, tuple[int, ...]] = {}
    for key in broken.intersection(data, {"load", *_LISTS}):
        below = [location[1] if len(location) > 1 else None for location in locations if location[0] == key]
        if None in below:
            continue
        if key == "load":
            sound[key] = {name: stream for name, stream in data[key].items() if name not in below}
        else:
            kept[key] = tuple(index for index in range(len(data[key])) if index not in below)
            sound[key] = [data[key][index] for index in kept[key]]
    return Draft(Scenario.model_validate(_filled(sound)), frozenset(broken), kept), problems


def _filled(sound: Mapping[str, Any]) -> dict[str, Any]:
    emptied: Collection[str] = [key for key, value in sound.items() if key in _PLACEHOLDERS and value in ({}, [])]
    return {**_PLACEHOLDERS, **{key: value for key, value in sound.items() if key not in emptied}}


def mended_manifest(document: Document, locations: Collection[Location]) -> Manifest | None:
    """Return the manifest with what is unsound at `locations` replaced or left out; None where that is not enough."""
    data = copy.deepcopy(document.data)
    for location in locations:
        _mend(data, location)
    sound = Document(document.file, data)
    return validate(Manifest, sound)[0]


def _mend(data: object, location: Location) -> None:
    for pattern, value in _MENDED.items():
        head = location[: len(pattern)]
        if len(head) == len(pattern) and all(one in ("*", part) for one, part in zip(pattern, head, strict=True)):
            owner = Document("", data).at(head[:-1])
            if isinstance(owner, dict):
                owner[head[-1]] = copy.deepcopy(value)
            return
    head = location[: {"components": 3, "compose": 2}.get(str(location[0]) if location else "", 1)]
    owner = Document("", data).at(head[:-1])
    if isinstance(owner, dict):
        owner.pop(head[-1], None)
        if head[-1] == "metrics":  # without them, its resources would be a finding
            owner.pop("resources", None)
