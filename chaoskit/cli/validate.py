"""`chaoskit validate`: every problem of a scenario at once, without opening a socket."""

from chaoskit import plan as planning
from chaoskit.cli.arguments import AllowTargets, Scenario, Settings, read_settings
from chaoskit.cli.console import OUT
from chaoskit.scenario import load


def validate(scenario: Scenario, settings: Settings = None, allow_targets: AllowTargets = None) -> None:
    """Check a scenario and its target, and list all problems at once as file:line:column."""
    loaded = load(scenario, overrides=read_settings(settings), allow_targets=tuple(allow_targets or ()))
    plan = planning.build(loaded)
    OUT.print(
        f"{plan.scenario}: valid; {plan.duration_s:.0f} s, {len(plan.streams)} streams, {len(plan.faults)} faults"
    )
    for file in loaded.runs_code:
        OUT.print(f"runs code of yours: {file}", style="yellow", markup=False)
