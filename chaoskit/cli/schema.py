"""`chaoskit schema`: the JSON Schema of scenario files."""

import json

from chaoskit import scenario
from chaoskit.cli.console import OUT


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors (`yaml-language-server: $schema=…`)."""
    OUT.print(json.dumps(scenario.schema(), indent=2, ensure_ascii=False), markup=False)
