"""`chaoskit plan`: what a run would do, without doing it."""

from typing import TYPE_CHECKING

from rich import table as drawn
from rich.text import Text

from chaoskit.cli.arguments import AllowTargets, AsJson, Scenario, Seed, Settings, Variant, read_settings
from chaoskit.cli.console import ERR, OUT, print_json

if TYPE_CHECKING:
    from chaoskit.plan.model import Plan


def plan(
    scenario: Scenario,
    settings: Settings = None,
    seed: Seed = None,
    variant: Variant = None,
    allow_targets: AllowTargets = None,
    as_json: AsJson = False,
) -> None:
    """Show what a scenario will do: phases, rates, fault windows. Opens no socket."""
    from chaoskit import plan as planning
    from chaoskit.plan.table import tables
    from chaoskit.scenario import load

    loaded = load(scenario, overrides=read_settings(settings), seed=seed, allow_targets=tuple(allow_targets or ()))
    found = planning.build(loaded.chosen(variant))
    warn_of_thin_objectives(found)
    if as_json:
        print_json(planning.encode(found).decode())
        return
    OUT.print(f"{found.scenario}: {found.title} ({found.duration_s:.0f} s, seed {found.seed})", markup=False)
    for content in tables(found):
        shown = drawn.Table(
            title=Text(content.title), title_justify="left", box=None, pad_edge=False, header_style="dim"
        )
        for column in content.columns:
            shown.add_column(Text(column), overflow="fold")
        for row in content.rows:
            shown.add_row(*map(Text, row))
        OUT.print(shown)


def warn_of_thin_objectives(plan: "Plan") -> None:
    """Say which objectives will not get the arrivals that their percentile needs."""
    from chaoskit.plan.evidence import thin_objectives

    for sentence in thin_objectives(plan):
        ERR.print(f"warning: {sentence}", style="yellow", markup=False)
