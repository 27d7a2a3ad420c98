"""`chaoskit validate`: every problem of a scenario or target at once, without opening a socket."""

from typing import Annotated

import typer

from chaoskit.cli.arguments import AllowTargets, Settings, complete_all, read_settings
from chaoskit.cli.console import OUT
from chaoskit.cli.plan import warn_of_thin_objectives
from chaoskit.units import plural


def validate(
    file: Annotated[
        str,
        typer.Argument(
            help="A scenario or target.yaml, by its path or its name (`chaoskit list`).", autocompletion=complete_all
        ),
    ],
    settings: Settings = None,
    allow_targets: AllowTargets = None,
) -> None:
    """Check a scenario with its target, or a target alone, and list all problems at once as file:line:column."""
    from chaoskit import plan as planning
    from chaoskit.scenario import find_manifest, load, load_manifest

    if (path := find_manifest(file)) is not None:
        manifest = load_manifest(path.resolve())
        OUT.print(
            f"{manifest.name}: a valid target; {plural(len(manifest.components), 'component')}, "
            f"{plural(len(manifest.setting_models()), 'setting')}, {plural(len(manifest.flows), 'flow')}",
            markup=False,
        )
        return
    loaded = load(file, overrides=read_settings(settings), allow_targets=tuple(allow_targets or ()))
    plan = planning.build(loaded)
    OUT.print(
        f"{plan.scenario}: valid; {plan.duration_s:.0f} s, {plural(len(plan.streams), 'stream')}, "
        f"{plural(len(plan.faults), 'fault')}"
        + (f", {plural(len(loaded.variants), 'variant')}: {', '.join(loaded.variants)}" if loaded.variants else ""),
        markup=False,
    )
    for code in loaded.runs_code:
        OUT.print(f"runs code of yours: {code}", style="yellow", markup=False)
    warn_of_thin_objectives(plan)
