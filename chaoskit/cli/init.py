"""`chaoskit init`: copy the built-in scenarios and targets to change them."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from chaoskit.cli.console import OUT
from chaoskit.cli.program import program
from chaoskit.errors import UsageError


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write `scenarios/` and `targets/`.", file_okay=False)],
) -> None:
    """Copy the built-in scenarios and targets into a folder of your own; nothing that exists is overwritten."""
    from chaoskit.scenario.builtin import folder as builtin_folder

    sources = {kind: builtin_folder(kind) for kind in ("scenarios", "targets")}
    taken = [str(folder / name) for name in sources if (folder / name).exists()]
    if taken:
        raise UsageError(f"{' and '.join(taken)} exist already; name an empty folder, so that nothing is overwritten")
    try:
        for name, source in sources.items():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    except OSError as error:
        raise UsageError(
            f"cannot write {folder}: {error.strerror or error}; name a folder that you may write"
        ) from error
    OUT.print(f"wrote {folder / 'scenarios'} and {folder / 'targets'}", markup=False)
    OUT.print(f"next: {program()} run {folder / 'scenarios' / 'smoke.yaml'}", markup=False)
