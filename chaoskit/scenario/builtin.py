"""Where scenarios and targets are found by name: the user's own folders, the installed package, or the checkout."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaoskit.scenario.document import MAX_FILE_BYTES, read
from chaoskit.scenario.files import is_file

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_SUFFIXES: Final = (".yaml", ".yml")

_HERE: Final = Path()
_PHASES: Final = re.compile(rb"^phases\s*:", re.MULTILINE)

OWN_FOLDERS: Final[Sequence[Path]] = (Path("scenarios"), Path("targets"), _HERE)
"""Where the user's own scenarios and targets are looked for, seen from the current folder; last in that itself."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario that can be called by name."""

    name: str
    title: str
    path: Path
    builtin: bool


def folder(kind: str) -> Path:
    """Return the folder of the built-in `scenarios` or `targets`: in an installed package's data, else in the checkout.

    What lies beside an installed package is site-packages, and a folder `targets` there is somebody else's.
    """
    packaged = _PACKAGE / "builtin" / kind
    return packaged if packaged.is_dir() else _PACKAGE.parent / kind


def is_builtin(path: Path) -> bool:
    """Return whether `path` belongs to a built-in scenario or target."""
    return any(path.resolve().is_relative_to(folder(kind).resolve()) for kind in ("scenarios", "targets"))


def find_scenario(name: str, search: Sequence[Path]) -> Path | None:
    """Return the file of the scenario called `name`, from the folders of `search` first, then the built-in ones."""
    return next((listed.path for listed in _scenarios(search) if listed.path.stem == name), None)


def find_target(name: str, search: Sequence[Path]) -> Path | None:
    """Return the target.yaml of the target called `name`, looked up as `find_scenario` does."""
    candidates = (place / name / f"target{suffix}" for place in (*search, folder("targets")) for suffix in _SUFFIXES)
    return next((path for path in candidates if is_file(path)), None)


def scenario_names(search: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of all scenarios that can be found."""
    return tuple(listed.path.stem for listed in _scenarios(search))


def target_names(search: Sequence[Path]) -> tuple[str, ...]:
    """Return the names of all targets that can be found."""
    places = (place for place in (*search, folder("targets")) if place.is_dir())
    files = (file for place in places for suffix in _SUFFIXES for file in sorted(place.glob(f"*/target{suffix}")))
    return tuple(dict.fromkeys(file.parent.name for file in files))


def list_scenarios(search: Sequence[Path] = OWN_FOLDERS) -> tuple[Listed, ...]:
    """Return all scenarios with their titles, those of `search` first; a broken file has an empty title."""
    listed = []
    for found in _scenarios(search):
        document, _ = read(found.path)
        listed.append(Listed(found.name, str(document.at(("title",)) or ""), found.path, found.builtin))
    return tuple(listed)


def _scenarios(search: Sequence[Path]) -> Iterator[Listed]:
    seen: set[str] = set()
    builtin = folder("scenarios")
    for place in (*search, builtin):
        if not place.is_dir():
            continue
        for path in sorted(file for file in place.iterdir() if file.suffix in _SUFFIXES):
            if path.stem not in seen and (place != _HERE or _has_phases(path)):
                seen.add(path.stem)
                yield Listed(path.stem, "", path, place.resolve() == builtin.resolve())


def _has_phases(path: Path) -> bool:
    """Return whether a file looks like a scenario, a broken one too; in the current folder lies other YAML as well."""
    try:
        with path.open("rb") as file:
            return _PHASES.search(file.read(MAX_FILE_BYTES)) is not None
    except OSError:
        return False
