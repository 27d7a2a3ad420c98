"""From a path or a name to a scenario and its target: everything checked, all problems at once, nothing started."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from chaoskit.errors import InvalidFile, Problem, UsageError
from chaoskit.scenario import topology as layout
from chaoskit.scenario.builtin import (
    OWN_FOLDERS,
    find_scenario,
    find_target,
    is_builtin,
    scenario_names,
    target_names,
)
from chaoskit.scenario.code import module_file
from chaoskit.scenario.consistency import check_manifest
from chaoskit.scenario.document import Document, read
from chaoskit.scenario.files import is_file, is_folder
from chaoskit.scenario.manifest import Manifest
from chaoskit.scenario.model import Scenario, Target
from chaoskit.scenario.presence import present
from chaoskit.scenario.problems import did_you_mean, validate
from chaoskit.scenario.references import Names, References
from chaoskit.scenario.salvage import draft, mended_manifest
from chaoskit.scenario.settings import Scalar, parse_setting
from chaoskit.scenario.tape import Tape
from chaoskit.scenario.tapes import read_tapes_of
from chaoskit.scenario.topology import Topology
from chaoskit.scenario.variants import Merged

_NAME_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid scenario with its target. `manifest` and `manifest_folder` are None for a target given by URLs.

    `settings` holds every setting of every component, `component.setting`, in the manifest's unit. `variant` is the
    name of the variant that this is, None for the scenario itself, which holds its `variants` by name.
    """

    scenario: Scenario
    text: str
    path: Path
    seed: int
    topology: Topology
    manifest: Manifest | None
    manifest_folder: Path | None
    settings: Mapping[str, Scalar]
    tapes: Mapping[str, Tape] = field(default_factory=dict)
    """The tapes of the streams that have one, at the speed at which they are played."""
    variant: str | None = None
    variants: Mapping[str, "Loaded"] = field(default_factory=dict)

    def chosen(self, variant: str | None) -> "Loaded":
        """Return the variant called `variant`, the scenario itself for None.

        Raises:
            UsageError: there is no such variant.
        """
        if variant is None:
            return self
        if variant not in self.variants:
            message = f"the scenario has no variant {variant!r}{did_you_mean(variant, self.variants)}"
            raise UsageError(message)
        return self.variants[variant]

    @property
    def folder(self) -> Path:
        """The folder of the scenario file, from which its own paths count."""
        return self.path.parent

    @property
    def runs_code(self) -> tuple[Path, ...]:
        """The Python files of the user's own that a run would import: flows of the scenario and of its target."""
        files = []
        for stream in self.scenario.load.values():
            if stream.locustfile is not None:
                files.append(self.folder / stream.locustfile)
            elif stream.python is not None:
                files.append(self.folder / stream.python.rpartition(":")[0])
            elif stream.flow is not None and self.manifest is not None and self.manifest_folder is not None:
                module = self.manifest.flows[stream.flow].python.partition(":")[0]
                files.append(module_file(self.manifest_folder, module))
        return tuple(file for file in dict.fromkeys(files) if not is_builtin(file))


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller adds to a file; see `load`."""

    search: Sequence[Path] = OWN_FOLDERS
    overrides: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    allow_targets: Collection[str] = ()


def load(
    path_or_name: str | Path,
    *,
    search: Sequence[Path] = OWN_FOLDERS,
    overrides: Mapping[str, str] | None = None,
    seed: int | None = None,
    allow_targets: Collection[str] = (),
) -> Loaded:
    """Read and check a scenario and its target manifest. No socket is opened and no code of theirs is run.

    Every variant is checked as well; see `Loaded.chosen`.

    Names are looked up in the folders of `search` (the user's own `scenarios` and `targets`), then among the built-in
    ones. `overrides` replace settings of the target, `seed` the file's seed; `allow_targets` are hosts outside loopback
    and private networks that may be loaded.

    Raises:
        UsageError: nothing is found under this name or path.
        InvalidFile: the scenario or the manifest has problems; all of them are listed.
    """
    path = _find(path_or_name, search)
    document, problems = read(path)
    if document.data is None:
        raise InvalidFile(problems)
    return _with_variants(document, path, Options(search, overrides or {}, seed, allow_targets), problems)


def _with_variants(document: Document, path: Path, options: Options, known: Sequence[Problem]) -> Loaded:
    """Check a scenario and each of its variants; the problems of all of them are told at once."""
    base, found = _tried(document, path, options, known)
    problems, variants = list(found), {}
    for name in document.names("variants"):
        merged = Merged(document, name)
        variant, brought = _tried(merged.document, path, options, ())
        problems += [*merged.problems, *merged.own(brought, found)]
        if variant is not None and base is not None:
            title = f"{base.scenario.title or base.scenario.name} · {base.scenario.variants[name].title or name}"
            scenario = variant.scenario.model_copy(update={"title": title})
            variants[name] = replace(variant, scenario=scenario, variant=name)
    if base is None or problems:
        raise InvalidFile(list(dict.fromkeys(problems)))
    return replace(base, variants=variants)


def _tried(
    document: Document, path: Path, options: Options, known: Sequence[Problem]
) -> tuple[Loaded | None, Sequence[Problem]]:
    try:
        return load_document(document, path, options, known), ()
    except InvalidFile as error:
        return None, error.problems


def load_document(document: Document, path: Path, options: Options, known: Sequence[Problem] = ()) -> Loaded:
    """Check a scenario that was read from `path` already; paths in it count from there. See `load`.

    Raises:
        InvalidFile: the scenario or the manifest has problems, or some are `known` already; all of them are listed.
    """
    sketch, found = draft(document)
    scenario, problems = sketch.scenario, [*known, *found]
    manifest_path, manifest = None, None
    if "target" not in sketch.broken and scenario.target.use is not None:
        manifest_path, manifest, found = _target(document, scenario.target.use, path.parent, options.search)
        problems += found
    given = {**scenario.target.settings, **options.overrides}
    played = None if manifest is None else present(manifest, given)
    topology = None if "target" in sketch.broken else _topology(scenario.target, played)
    names = Names(_phase_names(document), document.names("load") or None)
    references = References(scenario, names, path.parent, manifest, topology, options.allow_targets)
    for finding in references.check():
        problems.append(document.problem(sketch.in_file(finding.location), finding.message, key=finding.key))
    tapes, found = read_tapes_of(scenario, document, path.parent)
    problems += found
    if topology is not None:
        problems += _check_overrides(manifest, options.overrides)
    if problems:
        raise InvalidFile(list(dict.fromkeys(problems)))
    assert topology is not None
    return Loaded(
        scenario=scenario,
        text=document.text,
        path=path,
        seed=scenario.seed if options.seed is None else options.seed,
        topology=topology,
        manifest=played,
        manifest_folder=manifest_path.parent if manifest_path else None,
        settings=_settings(played, given) if played else {},
        tapes=tapes,
    )


def find_manifest(path_or_name: str, *, search: Sequence[Path] = OWN_FOLDERS) -> Path | None:
    """Return the target manifest that a file, a folder or a name means; None where it means a scenario, or nothing.

    A file is a manifest when it has `components` and no `load`; a name means a scenario first.
    """
    path = Path(path_or_name)
    if is_file(path):
        document, _ = read(path)
        return path if document.at(("components",)) is not None and document.at(("load",)) is None else None
    if find_scenario(path_or_name, search) is not None:
        return None
    return find_target(path_or_name, search)


def load_manifest(path: Path) -> Manifest:
    """Read and check a target manifest by itself.

    Raises:
        InvalidFile: it has problems; all of them are listed.
    """
    manifest, problems = _manifest(path)
    if manifest is None or problems:
        raise InvalidFile(problems)
    return manifest


def _find(path_or_name: str | Path, search: Sequence[Path]) -> Path:
    path = Path(path_or_name)
    if is_file(path):
        return path.resolve()
    name = str(path_or_name) if len(str(path_or_name)) <= _NAME_SHOWN else f"{str(path_or_name)[:_NAME_SHOWN]}…"
    if isinstance(path_or_name, str) and "/" not in path_or_name and path.suffix not in {".yaml", ".yml"}:
        found = find_scenario(path_or_name, search)
        if found is not None:
            return found.resolve()
        message = f"there is no scenario {name!r}{did_you_mean(name, scenario_names(search))}"
    else:
        message = f"there is no file {name}; check the path, or name a scenario of `chaoskit list`"
    if is_folder(path):
        message = f"{name} is a folder; name a scenario file in it, or a scenario of `chaoskit list`"
    raise UsageError(message)


def _phase_names(document: Document) -> tuple[str, ...] | None:
    phases = document.at(("phases",))
    names = [document.names("phases", index) for index in range(len(phases))] if isinstance(phases, list) else []
    return tuple(name for each in names for name in each) if names and all(names) else None


def _target(
    document: Document, use: str, folder: Path, search: Sequence[Path]
) -> tuple[Path | None, Manifest | None, list[Problem]]:
    by_path = "/" in use or use.endswith((".yaml", ".yml"))
    places = [folder, folder.parent / "targets", *search]
    path = folder / use if by_path else find_target(use, places)
    if path is None or not is_file(path):
        message = f"there is no target {use!r}{did_you_mean(use, target_names(places))}"
        if by_path:
            message = f"there is no file {use!r}; check the path, seen from this file"
        return None, None, [document.problem(("target", "use"), message)]
    manifest, problems = _manifest(path.resolve())
    return path.resolve(), manifest, problems


def _manifest(path: Path) -> tuple[Manifest | None, list[Problem]]:
    document, problems = read(path)
    if document.data is None:
        return None, problems
    manifest, found, locations = validate(Manifest, document)
    problems += found
    sound = manifest or mended_manifest(document, locations)
    if sound is not None:
        findings = check_manifest(sound, path.parent)
        problems += [document.problem(finding.location, finding.message, key=finding.key) for finding in findings]
    return (None if problems else manifest), problems


def _topology(target: Target, manifest: Manifest | None) -> Topology | None:
    if target.external is not None:
        return layout.of_urls(target.external, target.upstreams, target.regions)
    if manifest is None:
        return None
    limited = [name for name, limits in target.limits.items() if limits.cpus is not None]
    return layout.of_manifest(manifest, target.regions or manifest.regions, limited, target.placement)


def _check_overrides(manifest: Manifest | None, overrides: Mapping[str, str]) -> list[Problem]:
    models = manifest.setting_models() if manifest else {}
    problems = []
    for name, text in overrides.items():
        try:
            if name not in models:
                message = f"the target declares no such setting{did_you_mean(name, models)}"
                problems.append(Problem(f"--set {name}", 0, 0, message))
            else:
                parse_setting(models[name], text)
        except ValueError as error:
            problems.append(Problem(f"--set {name}", 0, 0, str(error)))
    return problems


def _settings(manifest: Manifest, given: Mapping[str, object]) -> dict[str, Scalar]:
    models = manifest.setting_models()
    return {name: parse_setting(model, given.get(name, model.default)) for name, model in models.items()}
