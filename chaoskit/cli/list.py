"""`chaoskit list`: what can be played by name."""

import json

from rich.table import Table

from chaoskit.cli.arguments import AsJson
from chaoskit.cli.console import OUT, print_json
from chaoskit.scenario.builtin import list_scenarios, target_names


def list_builtin(as_json: AsJson = False) -> None:
    """List the scenarios and targets that can be named without a path."""
    scenarios = list_scenarios()
    targets = target_names(())
    if as_json:
        names = {"scenarios": [scenario.name for scenario in scenarios], "targets": list(targets)}
        print_json(json.dumps(names))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("scenario", "title", "file"):
        table.add_column(heading)
    for scenario in scenarios:
        table.add_row(scenario.name, scenario.title, str(scenario.path))
    OUT.print(table)
    OUT.print(f"targets: {', '.join(targets)}", markup=False)
