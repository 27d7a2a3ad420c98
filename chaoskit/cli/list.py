"""`chaoskit list`: what can be played by name."""

import json

from rich.table import Table

from chaoskit.cli.arguments import AsJson
from chaoskit.cli.console import OUT
from chaoskit.scenario.builtin import list_scenarios, list_targets


def list_builtin(as_json: AsJson = False) -> None:
    """List the scenarios and targets that can be named without a path."""
    kinds = {"scenario": list_scenarios(), "target": list_targets()}
    if as_json:
        OUT.print(json.dumps({kind: [item.name for item in items] for kind, items in kinds.items()}), markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("kind", "name", "title", "file"):
        table.add_column(heading)
    for kind, items in kinds.items():
        for item in items:
            table.add_row(kind, item.name, item.title, str(item.path))
    OUT.print(table)
