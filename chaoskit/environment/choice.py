"""Which driver a run uses: what was asked for, else containers where an engine answers, else processes."""

import dataclasses
import os
from typing import Final, cast, get_args

from chaoskit import containers
from chaoskit.errors import UsageError
from chaoskit.plan.model import DriverName, Plan

CHOICE_VARIABLE: Final = "CHAOSKIT_DRIVER"


def with_driver(plan: Plan, wanted: DriverName | None = None) -> Plan:
    """Return `plan` with the driver that it will be played with, never `auto`.

    `wanted` (the command line), then the environment variable CHAOSKIT_DRIVER, then the plan's own word decide. `auto`
    takes docker where each component has a container and an engine answers, else process.

    Raises:
        UsageError: the driver that was asked for cannot play this target.
    """
    asked = wanted or os.environ.get(CHOICE_VARIABLE) or plan.driver
    if asked not in get_args(DriverName):
        raise UsageError(f"{asked!r} is no driver; say one of {', '.join(get_args(DriverName))}")
    if plan.driver in {"external", "compose"}:
        if wanted not in {None, "auto", plan.driver}:
            raise UsageError(f"the target of {plan.scenario} is played with the driver {plan.driver} only")
        return plan
    if asked in {"external", "compose"}:
        raise UsageError(f"the driver {asked} is not chosen, but follows from the target; say docker or process")
    if asked == "auto":
        has_containers = all(instance.container is not None for instance in plan.instances)
        asked = "docker" if has_containers and containers.answers() else "process"
    return dataclasses.replace(plan, driver=cast("DriverName", asked))
