"""`chaoskit validate`: every problem of a scenario or target at once, without opening a socket."""

from pathlib import Path
from typing import Annotated

import typer

from chaoskit.cli.arguments import AllowTargets, Settings, read_settings
from chaoskit.cli.console import OUT
from chaoskit.cli.plan import warn_of_thin_objectives


def validate(
    file: Annotated[
        str, typer.Argument(help="A scenario file, the name of a built-in one, or a target manifest (target.yaml).")
    ],
    settings: Settings = None,
    allow_targets: AllowTargets = None,
) -> None:
    """Check a scenario with its target, or a target alone, and list all problems at once as file:line:column."""
    from chaoskit import plan as planning
    from chaoskit.scenario import is_manifest, load, load_manifest

    if is_manifest(Path(file)):
        manifest = load_manifest(Path(file))
        OUT.print(
            f"{manifest.name}: a valid target; {len(manifest.components)} components, "
            f"{len(manifest.setting_models())} settings, {len(manifest.flows)} flows",
            markup=False,
        )
        return
    loaded = load(file, overrides=read_settings(settings), allow_targets=tuple(allow_targets or ()))
    plan = planning.build(loaded)
    OUT.print(
        f"{plan.scenario}: valid; {plan.duration_s:.0f} s, {len(plan.streams)} streams, {len(plan.faults)} faults",
        markup=False,
    )
    for path in loaded.runs_code:
        OUT.print(f"runs code of yours: {path}", style="yellow", markup=False)
    warn_of_thin_objectives(plan)
