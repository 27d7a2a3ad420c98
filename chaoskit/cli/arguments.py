"""Arguments and options that several commands share."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from chaoskit.errors import UsageError


def complete_scenarios(incomplete: str) -> list[str]:
    """Return the scenarios whose name begins so; a shell goes on with files where there is none."""
    from chaoskit.scenario.builtin import OWN_FOLDERS, scenario_names

    return _beginning(incomplete, scenario_names(OWN_FOLDERS))


def complete_targets(incomplete: str) -> list[str]:
    """Return the targets whose name begins so."""
    from chaoskit.scenario.builtin import OWN_FOLDERS, target_names

    return _beginning(incomplete, target_names(OWN_FOLDERS))


def complete_all(incomplete: str) -> list[str]:
    """Return the scenarios and targets whose name begins so."""
    return list(dict.fromkeys((*complete_scenarios(incomplete), *complete_targets(incomplete))))


def complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Return `latest` and the saved runs whose name begins so, newest first."""
    from chaoskit.store import saved_runs

    reports = Path(context.params.get("reports") or "reports")
    names = [run.name for run in reversed(saved_runs(reports))]
    return _beginning(incomplete, ["latest", *names] if names else [])


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


Scenario = Annotated[
    str,
    typer.Argument(
        help="A scenario file, or the name of one (`chaoskit list`).",
        autocompletion=complete_scenarios,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="COMPONENT.SETTING=VALUE", help="Change one of the target's settings; repeatable."),
]
Variant = Annotated[
    str | None, typer.Option(metavar="NAME", help="Take this variant of the scenario (`variants:` in the file).")
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
Run = Annotated[
    str, typer.Argument(help="A run folder, the beginning of its name, or `latest`.", autocompletion=complete_runs)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

Web = Annotated[
    bool,
    typer.Option("--web", help="Show Locust's own page meanwhile, on port 8089, or another where that is taken."),
]
WebPort = Annotated[
    int | None, typer.Option(min=1, max=65535, metavar="PORT", help="Show it on this port and no other.")
]
Csv = Annotated[
    str | None, typer.Option(metavar="PREFIX", help="Write Locust's CSV files: PREFIX_stats.csv and so on.")
]


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
