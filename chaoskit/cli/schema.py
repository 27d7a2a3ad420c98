"""`chaoskit schema`: the JSON Schema of scenario files."""

import json

from chaoskit import scenario
from chaoskit.cli.console import print_json


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors (`yaml-language-server: $schema=…`)."""
    print_json(json.dumps(scenario.schema(), indent=2, ensure_ascii=False))
