"""The bring-up: proxies, target and load processes, each with its undoing on the caller's exit stack."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from chaoskit.clock import Clock
from chaoskit.environment import Driver, make_driver
from chaoskit.faults import FaultPlane, ProxyServer, start_server
from chaoskit.load import LoadProcesses
from chaoskit.plan.model import Plan
from chaoskit.runner.live import Watcher
from chaoskit.runner.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is up while the phases play."""

    driver: Driver
    server: ProxyServer
    faults: FaultPlane
    load: LoadProcesses

    def process_ids(self) -> Mapping[str, int]:
        """Return the processes to observe beside the target's: the proxy and the load generator."""
        proxy = {} if self.server.process_id is None else {"proxy": self.server.process_id}
        return proxy | {f"generator@{worker}": pid for worker, pid in enumerate(self.load.process_ids)}


async def bring_up(plan: Plan, recorder: Recorder, clock: Clock, watcher: Watcher, undo: AsyncExitStack) -> Stage:
    """Start everything that `plan` needs; what has started is undone by `undo`, in reverse, whatever happens next.

    Raises:
        SetupFailed: a part did not come up in time; the sentence names it and quotes its last words.
    """
    folder = recorder.folder
    environment = {"CHAOSKIT_RUN": folder.run_id}
    driver = make_driver(plan, run_id=folder.run_id, logs=folder.logs)
    undo.push_async_callback(driver.stop)
    layout = await driver.prepare()
    watcher.stage("starting the fault proxy")
    server = await start_server(plan, log=folder.logs / "toxiproxy.log", environment=environment)
    undo.push_async_callback(server.stop)
    faults = FaultPlane(plan, layout.links, server, clock, recorder.emit)
    await faults.create_links()
    watcher.stage(
        f"starting {plan.target}: {', '.join(instance.name for instance in plan.instances) or 'already running'}"
    )
    await driver.start()
    watcher.stage("starting the load generator")
    load = LoadProcesses(
        plan,
        folder.plan_path,
        {name: layout.links[name].listen for name in plan.entries},
        folder.logs,
        environment,
    )
    undo.push_async_callback(load.stop)
    await load.start()
    return Stage(driver, server, faults, load)
