"""The bring-up: fault proxies, target and load processes, each with its undoing on the caller's exit stack."""

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from chaoskit.environment import Driver, Layout, Workspace, driver_for, release
from chaoskit.errors import RestoreFailed
from chaoskit.faults.control import Control
from chaoskit.faults.lease import Lease
from chaoskit.faults.plane import FaultPlane
from chaoskit.faults.server import ProxyServer, start_server
from chaoskit.load.processes import LoadProcesses
from chaoskit.load.remote import check_addresses
from chaoskit.plan.model import Plan
from chaoskit.runner.live import Watcher
from chaoskit.runner.recorder import Sink


@dataclass(frozen=True, slots=True)
class Target:
    """A target that is up, with a proxy on each of its links."""

    driver: Driver
    layout: Layout
    server: ProxyServer
    faults: FaultPlane
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is up while the phases play."""

    target: Target
    load: LoadProcesses

    def process_ids(self) -> Mapping[str, int]:
        """Return the processes to observe beside the target's: the proxy and the load generator."""
        proxy = self.target.server.process_id
        generators = dict(self.load.pids)
        return generators if proxy is None else {"proxy": proxy, **generators}


async def bring_up_target(
    plan: Plan, run_id: str, logs: Path, sink: Sink, watcher: Watcher, undo: AsyncExitStack
) -> Target:
    """Start the target of `plan` behind its proxies; `undo` takes it down again, in reverse, whatever happens next.

    Raises:
        SetupFailed: a part did not come up in time; the sentence names it and quotes its last words.
    """
    workspace = Workspace.create(run_id)
    undo.callback(workspace.remove)
    environment = {**os.environ, **workspace.label}
    watcher.stage("starting the fault proxy")
    server = await start_server(plan, log=logs / "toxiproxy.log", environment=environment, say=watcher.stage)
    undo.push_async_callback(server.stop)
    lease = await Lease.start(workspace.folder / "lease.json", environment, release.command(run_id))
    undo.push_async_callback(lease.release)
    driver = driver_for(plan, workspace, logs, watcher.stage)
    undo.push_async_callback(driver.stop)
    layout = await driver.prepare()
    control = driver if isinstance(driver, Control) else None
    faults = FaultPlane(plan, layout.links, server, sink.clock, sink.emit, control)
    if not server.is_ours:
        undo.push_async_callback(_delete_links, faults, lease)
    await faults.create_links(lease)
    names = ", ".join(instance.name for instance in plan.instances)
    watcher.stage(f"starting {plan.target}: {names}" if names else f"looking whether {plan.target} can be reached")
    await driver.start()
    return Target(driver, layout, server, faults, environment)


async def _delete_links(faults: FaultPlane, lease: Lease) -> None:
    """Leave somebody else's server as it was; what resists is left to the lease, which tries again."""
    try:
        await faults.delete_links()
    except RestoreFailed:
        await lease.abandon()
        raise


def _load_stage(plan: Plan) -> str:
    generator = plan.generator
    if generator.remote_workers:
        return f"waiting for {generator.remote_workers} load workers: `chaoskit worker --master {generator.listen}`"
    page = f"; Locust's page is http://{generator.web}" if generator.web else ""
    return f"starting the load generator{page}"


async def bring_up(plan: Plan, run_id: str, folder: Path, sink: Sink, watcher: Watcher, undo: AsyncExitStack) -> Stage:
    """Start the target and the load processes, which then wait to be released.

    Raises:
        SetupFailed: as `bring_up_target`, or the load processes were not ready in time.
    """
    logs = folder / "logs"
    check_addresses(plan.generator)
    target = await bring_up_target(plan, run_id, logs, sink, watcher, undo)
    watcher.stage(_load_stage(plan))
    entries = {name: target.layout.links[name].listen for name in plan.entries}
    load = LoadProcesses(plan, folder / "plan.json", entries, logs, target.environment)
    undo.push_async_callback(load.stop)
    await load.start()
    return Stage(target, load)
