"""Variants of a scenario: what each changes, and the whole scenario that comes of it, with marks that stay true."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from chaoskit.errors import Problem
from chaoskit.scenario.document import Document, Location, Mark
from chaoskit.scenario.quantities import Name
from chaoskit.scenario.strict import Strict

BASE: Final = "base"
"""What a comparison calls the scenario without any variant."""
ALL: Final = "all"
"""What `--variant` calls the scenario and every variant of it."""


class Variant(Strict):
    """Changes over the scenario. Mappings are merged key by key, lists and words replaced whole; `null` removes.

    What comes of it is a whole scenario, and is checked as one.
    """

    title: str = Field(default="", max_length=120, examples=["Pool of 16"])
    """What the variant is, for people."""
    target: dict[str, Any] | None = Field(default=None, examples=[{"settings": {"api.pool": 16}}])
    load: dict[str, Any] | None = None
    phases: list[Any] | None = None
    faults: list[Any] | None = None
    objectives: list[Any] | None = None
    abort_when: list[Any] | None = None
    expect: dict[str, Any] | None = None
    generator: dict[str, Any] | None = None
    incident: dict[str, Any] | None = None
    steady_tolerance: Any = None


def _none_reserved(variants: dict[str, Variant]) -> dict[str, Variant]:
    for name in (BASE, ALL):
        if name in variants:
            message = f"`{name}` is no name for a variant: `--variant {name}` means something else; choose another"
            raise ValueError(message)
    return variants


Variants = Annotated[dict[Name, Variant], AfterValidator(_none_reserved)]


class Merged:
    """The scenario of `document` with its variant `name` applied: `document`, and what is wrong with the changes.

    Parts that the variant gives have the marks of its own lines, all others those of the scenario.
    """

    def __init__(self, document: Document, name: str) -> None:
        self._whole = document
        self._here: Location = ("variants", name)
        self._keys = {at: mark for at, mark in document.keys.items() if at[:1] != self._here[:1]}
        self._values = {at: mark for at, mark in document.values.items() if at[:1] != self._here[:1]}
        self._moved: dict[Mark, Mark] = {}
        self.problems: list[Problem] = []
        base = document.data if isinstance(document.data, Mapping) else {}
        changes = document.at(self._here)
        data = self._merge(
            {key: value for key, value in base.items() if key != "variants"},
            {key: value for key, value in changes.items() if key != "title"} if isinstance(changes, Mapping) else {},
            (),
        )
        self.document = Document(document.file, data, self._keys, self._values, document.text)

    def own(self, problems: Sequence[Problem], known: Sequence[Problem]) -> list[Problem]:
        """Return `problems` of the merged document without those `known` of the scenario, each at the variant's lines.

        One that lies in a line of the scenario was brought about by the variant: it is told where the variant changes
        that part, or at its name.
        """
        lines = {mark for at, mark in (*self._whole.values.items(), *self._whole.keys.items()) if at[:2] == self._here}
        name = self._here[1]
        found = []
        for problem in problems:
            mark = Mark(problem.line, problem.column)
            if problem in known:
                continue
            if problem.file != self._whole.file or mark in lines:
                found.append(problem)
                continue
            at = self._moved.get(mark) or self._whole.mark(self._here, key=True)
            message = f"{problem.message} (line {problem.line}, in the variant {name})"
            found.append(Problem(problem.file, *at, message))
        return found

    def _merge(self, base: Mapping[str, Any], changes: Mapping[str, Any], at: Location) -> dict[str, Any]:
        data = dict(base)
        self._moved[self._whole.values[at]] = self._whole.mark((*self._here, *at), key=True)
        for key, change in changes.items():
            there = (*at, key)
            if change is None:
                if key not in data:
                    message = f"there is no `{key}` that `null` could remove here; leave it out"
                    self.problems.append(self._whole.problem((*self._here, *there), message, key=True))
                data.pop(key, None)
                self._forget(there)
            elif isinstance(change, Mapping) and isinstance(data.get(key), Mapping):
                data[key] = self._merge(data[key], change, there)
            else:
                data[key] = change
                self._take(there)
        return data

    def _forget(self, at: Location) -> None:
        for marks in (self._keys, self._values):
            for location in [location for location in marks if location[: len(at)] == at]:
                del marks[location]

    def _take(self, at: Location) -> None:
        self._forget(at)
        source, cut = (*self._here, *at), len(self._here)
        for marks, whole in ((self._keys, self._whole.keys), (self._values, self._whole.values)):
            marks.update(
                {location[cut:]: mark for location, mark in whole.items() if location[: len(source)] == source}
            )
