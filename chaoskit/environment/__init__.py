"""Targets up and down: drivers, the run's label and temporary folder, and what a killed run left (layer 5)."""

from collections.abc import Callable
from pathlib import Path

from chaoskit.environment.choice import with_driver
from chaoskit.environment.contract import Death, Driver, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.docker.driver import DockerDriver
from chaoskit.environment.external import ExternalDriver
from chaoskit.environment.leftovers import Leftover
from chaoskit.environment.process import ProcessDriver
from chaoskit.environment.workspace import Workspace
from chaoskit.plan.model import Plan


def driver_for(plan: Plan, workspace: Workspace, logs: Path, say: Callable[[str], None]) -> Driver:
    """Return the driver that `plan.driver` names; `say` is told of what takes it long."""
    if plan.driver == "external":
        return ExternalDriver(plan, say)
    if plan.driver == "docker":
        return DockerDriver(plan, workspace, logs, say)
    if plan.driver == "compose":
        from chaoskit.environment.compose import ComposeDriver

        return ComposeDriver(plan, workspace, logs, say)
    return ProcessDriver(plan, workspace, logs)


__all__ = [
    "Death",
    "DockerDriver",
    "Driver",
    "ExternalDriver",
    "Layout",
    "Leftover",
    "LinkAddresses",
    "ProcessDriver",
    "RunningInstance",
    "Workspace",
    "driver_for",
    "with_driver",
]
