"""A saved run as commands read it: its plan and its records, with a word on what was torn."""

from pathlib import Path
from typing import NamedTuple

from chaoskit.cli.console import ERR
from chaoskit.plan.model import Plan
from chaoskit.records import History
from chaoskit.store import RunFolder, find
from chaoskit.units import plural


class SavedRun(NamedTuple):
    """What a run left on the disk."""

    folder: RunFolder
    plan: Plan
    history: History


def read_saved(reports: Path, name: str) -> SavedRun:
    """Read the run that `name` means, and warn of records that a killed runner left torn.

    Raises:
        StoreError: there is no such run, or it is damaged.
    """
    folder = find(reports, name)
    plan = folder.plan()
    history, dropped_lines = folder.history()
    if dropped_lines:
        ERR.print(f"left out of the records: {plural(dropped_lines, 'torn line')}", style="yellow")
    return SavedRun(folder, plan, history)
