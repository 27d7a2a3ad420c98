"""Which driver a run uses: what was asked for, else containers where an engine answers, else processes."""

import os
from dataclasses import replace
from typing import Final, cast, get_args

from chaoskit import containers
from chaoskit.errors import UsageError
from chaoskit.plan.model import DriverName, Plan, PlannedResource

CHOICE_VARIABLE: Final = "CHAOSKIT_DRIVER"


def with_driver(plan: Plan, wanted: DriverName | None = None) -> Plan:
    """Return `plan` with the driver that it will be played with, never `auto`.

    `wanted` (the command line), then the environment variable CHAOSKIT_DRIVER, then the plan's own word decide. `auto`
    takes docker where each component has a container and an engine answers, else process. In containers, the CPU of
    what is limited counts as many cores as the limit allows.

    Raises:
        UsageError: the driver that was asked for cannot play this target.
    """
    asked = wanted or os.environ.get(CHOICE_VARIABLE) or plan.driver
    if asked not in get_args(DriverName):
        raise UsageError(f"{asked!r} is no driver; say one of {', '.join(get_args(DriverName))}")
    if plan.driver in {"external", "compose"}:
        if wanted not in {None, "auto", plan.driver}:
            raise UsageError(f"the target of {plan.scenario} is played with the driver {plan.driver} only")
        return replace(plan, resources=tuple(_limited(plan, one) for one in plan.resources))
    if asked in {"external", "compose"}:
        raise UsageError(f"the driver {asked} is not chosen, but follows from the target; say docker or process")
    if asked == "auto":
        asked = _fitting(plan)
    _check(plan, asked)
    resources = tuple(_limited(plan, one) for one in plan.resources) if asked == "docker" else plan.resources
    return replace(plan, driver=cast("DriverName", asked), resources=resources)


def _fitting(plan: Plan) -> DriverName:
    """Return what `auto` means on this machine."""
    if any(instance.container is None for instance in plan.instances):
        return "process"
    without = [instance.component for instance in plan.instances if not instance.command]
    if without or plan.limited or containers.answers():
        return "docker"  # where no engine answers then, the bring-up says so
    return "process"


def _check(plan: Plan, driver: str) -> None:
    """Raise UsageError where a component cannot be started by `driver`."""
    lacks, kind = ("container", "containers") if driver == "docker" else ("command", "processes")
    lacking = [one.component for one in plan.instances if not (one.container if lacks == "container" else one.command)]
    if lacking:
        names = ", ".join(dict.fromkeys(lacking))
        other = "process" if driver == "docker" else "docker"
        message = f"{plan.target} cannot be played as {kind}: {names} of its target.yaml has no `{lacks}`"
        raise UsageError(f"{message}; add it, or play with --driver {other}")
    if driver == "process" and plan.limited:
        names = ", ".join(plan.limited)
        raise UsageError(f"target.limits of {names} holds for containers only; play with --driver docker, or remove it")


def _limited(plan: Plan, resource: PlannedResource) -> PlannedResource:
    """Return a CPU with as many cores as its container is allowed; anything else as it is."""
    containers_by_name = {instance.name: instance.container for instance in plan.instances}
    container = containers_by_name.get(resource.instance)
    if (resource.name, resource.sized_by) != ("cpu", None) or container is None or container.cpus is None:
        return resource
    cores = min(container.cpus, float(resource.setting or container.cpus))
    return replace(resource, setting=f"{cores:g}", help=f"CPU of the container, which can use {cores:g} cores.")
