"""`chaoskit init`: copy the built-in scenarios and targets to change them."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from chaoskit.cli.console import OUT
from chaoskit.errors import UsageError
from chaoskit.scenario.builtin import scenarios_folder, targets_folder


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write `scenarios/` and `targets/`.", file_okay=False)],
) -> None:
    """Copy the built-in scenarios and targets into a folder of your own; nothing that exists is overwritten."""
    sources = {"scenarios": scenarios_folder(), "targets": targets_folder()}
    taken = [str(folder / name) for name in sources if (folder / name).exists()]
    if taken:
        raise UsageError(f"{' and '.join(taken)} exist already; name an empty folder, so that nothing is overwritten")
    for name, source in sources.items():
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    OUT.print(f"wrote {folder / 'scenarios'} and {folder / 'targets'}", markup=False)
    OUT.print(f"next: cd {folder} && chaoskit run scenarios/smoke.yaml", markup=False)
