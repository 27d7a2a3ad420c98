"""`chaoskit list`: what can be played by name."""

import json

from rich.table import Table
from rich.text import Text

from chaoskit.cli.arguments import AsJson
from chaoskit.cli.console import OUT, print_json


def list_known(as_json: AsJson = False) -> None:
    """List what can be named without a path: scenarios and targets of this folder, and the built-in ones."""
    from chaoskit.scenario.builtin import OWN_FOLDERS, list_scenarios, target_names

    scenarios = list_scenarios()
    targets = target_names(OWN_FOLDERS)
    if as_json:
        print_json(json.dumps({"scenarios": [scenario.name for scenario in scenarios], "targets": list(targets)}))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("scenario", "title", "file"):
        table.add_column(heading, overflow="fold")
    for scenario in scenarios:
        table.add_row(*map(Text, (scenario.name, scenario.title, str(scenario.path))))
    OUT.print(table)
    OUT.print(f"targets: {', '.join(targets)}", markup=False)
