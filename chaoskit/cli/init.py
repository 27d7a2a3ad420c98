"""`chaoskit init`: copy the built-in scenarios and targets to change them, or draft a target from a compose file."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from chaoskit.cli.console import OUT
from chaoskit.cli.program import program
from chaoskit.errors import UsageError


def init(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write `scenarios/` and `targets/`.", file_okay=False)
    ] = None,
    from_compose: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draft a target from this compose file instead.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="With --from-compose: where to write the target.", dir_okay=False)
    ] = None,
) -> None:
    """Copy the built-in scenarios and targets into FOLDER, to change them; or draft a target from a compose file.

    Nothing that exists is overwritten.
    """
    if (folder is None) == (from_compose is None):
        raise UsageError("say a folder for the built-in files, or --from-compose FILE for a target of your own")
    if from_compose is not None:
        _draft(from_compose, output or Path("target.yaml"))
    elif output is not None:
        raise UsageError("--output goes with --from-compose; name the folder alone")
    elif folder is not None:
        _copy(folder)


def _copy(folder: Path) -> None:
    from chaoskit.scenario.builtin import folder as builtin_folder

    sources = {kind: builtin_folder(kind) for kind in ("scenarios", "targets")}
    _keep([folder / name for name in sources])
    try:
        for name, source in sources.items():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    except OSError as error:
        raise _unwritable(folder, error) from error
    OUT.print(f"wrote {folder / 'scenarios'} and {folder / 'targets'}", markup=False)
    OUT.print(f"next: {program()} run {folder / 'scenarios' / 'smoke.yaml'}", markup=False)


def _draft(file: Path, target: Path) -> None:
    from chaoskit.environment.compose.drafting import draft_of

    scenario = target.with_name(f"{target.stem.removesuffix('target').rstrip('.-_') or 'first'}-day.yaml")
    _keep([target, scenario])
    drafted = draft_of(file, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(drafted.target, encoding="utf-8")
        if drafted.scenario:
            scenario.write_text(drafted.scenario, encoding="utf-8")
    except OSError as error:
        raise _unwritable(target, error) from error
    OUT.print(f"wrote {target}: check what its comments say was guessed", markup=False)
    if drafted.scenario:
        OUT.print(f"wrote {scenario}; next: {program()} run {scenario}", markup=False)
    else:
        OUT.print(
            "no service seems to speak HTTP, so no scenario was drafted; write one with a Python flow", markup=False
        )


def _keep(paths: list[Path]) -> None:
    taken = [str(path) for path in paths if path.exists()]
    if taken:
        verb = "exists" if len(taken) == 1 else "exist"
        raise UsageError(f"{' and '.join(taken)} {verb} already; name another place, so that nothing is overwritten")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write {path}: {error.strerror or error}; name a place that you may write")
