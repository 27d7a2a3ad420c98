"""`chaoskit up`: a target alone, with its proxies, for one's own clients."""

import asyncio
from typing import Annotated

import typer

from chaoskit.cli.arguments import AsJson, Settings, complete_targets, read_settings


def up(
    target: Annotated[
        str, typer.Argument(help="A target's name, or the path of a target.yaml.", autocompletion=complete_targets)
    ],
    settings: Settings = None,
    regions: Annotated[list[str] | None, typer.Option("--region", help="A region to play; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a target up with a proxy on each link, print its addresses and test credentials, and stay until Ctrl-C."""
    from chaoskit import plan as planning
    from chaoskit.cli.staying import stay
    from chaoskit.scenario import load_target

    plan = planning.build(load_target(target, regions=tuple(regions or ()), overrides=read_settings(settings)))
    asyncio.run(stay(plan, as_json))
