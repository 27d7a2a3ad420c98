"""Arguments and options that several commands share."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from chaoskit.errors import UsageError

Scenario = Annotated[str, typer.Argument(help="A scenario file, or the name of a built-in one (`chaoskit list`).")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="COMPONENT.SETTING=VALUE", help="Change one of the target's settings; repeatable."),
]
Seed = Annotated[int | None, typer.Option(help="Play with another seed than the file's.")]
AllowTargets = Annotated[
    list[str] | None,
    typer.Option("--allow-target", metavar="HOST", help="Allow load on a host that is neither loopback nor private."),
]
Reports = Annotated[Path, typer.Option(help="The folder that runs are written to.", file_okay=False)]
Driver = Annotated[
    Literal["auto", "docker", "process"] | None,
    typer.Option(
        help="How the target comes up: docker, process or auto; without it CHAOSKIT_DRIVER, then the file decides."
    ),
]
Run = Annotated[str, typer.Argument(help="A run folder, the beginning of its name, or `latest`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def read_settings(pairs: Iterable[str] | None) -> Mapping[str, str]:
    """Read `COMPONENT.SETTING=VALUE` pairs.

    Raises:
        UsageError: a pair has no `=`, no dot, or names a setting twice.
    """
    settings: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not equals or "." not in name or not value:
            raise UsageError(f"--set {pair!r} is not COMPONENT.SETTING=VALUE, like gateway.db_pool=8")
        if name in settings:
            raise UsageError(f"--set names {name} twice; give it once")
        settings[name] = value
    return settings
