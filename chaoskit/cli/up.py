"""`chaoskit up`: a target alone, with its proxies, for one's own clients."""

import asyncio
from typing import Annotated

import typer

from chaoskit.cli.arguments import AsJson, Driver, Settings, complete_targets, read_settings


def up(
    target: Annotated[
        str, typer.Argument(help="A target's name, or the path of a target.yaml.", autocompletion=complete_targets)
    ],
    settings: Settings = None,
    regions: Annotated[list[str] | None, typer.Option("--region", help="A region to play; repeatable.")] = None,
    driver: Driver = None,
    as_json: AsJson = False,
) -> None:
    """Bring a target up with a proxy on each link, print its addresses and test credentials, and stay until Ctrl-C."""
    from chaoskit import plan as planning
    from chaoskit.cli.staying import stay
    from chaoskit.environment import with_driver
    from chaoskit.scenario import load_target

    loaded = load_target(target, regions=tuple(regions or ()), overrides=read_settings(settings))
    asyncio.run(stay(with_driver(planning.build(loaded), driver), as_json))
