"""`chaoskit schema`: the JSON Schema of scenario files and target manifests."""

import json
from typing import Annotated

import typer

from chaoskit.cli.console import print_json


def schema(
    target: Annotated[bool, typer.Option("--target", help="That of target manifests (target.yaml) instead.")] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors (`yaml-language-server: $schema=…`)."""
    from chaoskit import scenario

    found = scenario.target_schema() if target else scenario.schema()
    print_json(json.dumps(found, indent=2, ensure_ascii=False))
