"""The stack of `tests/support/stack` on a real engine: up once, then played by any number of scenarios.

Bringing six services up takes longer than playing a scenario on them. So what differs between two scenarios (sizes,
a CPU limit) is changed in the running containers, by the same means as at their start.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from ruamel.yaml import YAML

from chaoskit import containers
from chaoskit import plan as planning
from chaoskit.analysis import analyse, encode
from chaoskit.analysis.result import Result
from chaoskit.clock import Clock
from chaoskit.environment.choice import with_driver
from chaoskit.faults.plane import FaultPlane
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.model import Plan
from chaoskit.runner.live import LiveState, NoWatcher
from chaoskit.runner.performance import Performance
from chaoskit.runner.recorder import Discard, Recorder
from chaoskit.runner.stage import Stage, Target, bring_up_target
from chaoskit.runner.stop import Stop
from chaoskit.scenario import load
from chaoskit.store import RunFolder

STACK = Path(__file__).with_name("stack")
CPU_PERIOD_US = 100_000
RESIZE = {
    "pgbouncer.pool_size": (
        "sed 's/POOL_SIZE/{}/' /stack/pgbouncer.ini > /tmp/pgbouncer.ini && "
        "psql --host localhost --port 6432 --username bank --command RELOAD pgbouncer"
    ),
    "nginx.connections": (
        "sed 's/CONNECTIONS/{}/' /stack/nginx.conf > /tmp/nginx.conf && nginx -c /tmp/nginx.conf -s reload"
    ),
}

Day = dict[str, Any]


def day(
    *, settings: Mapping[str, int] | None = None, api_cpus: float | None = None, faults: list[Day] | None = None
) -> Day:
    """Return a surge from 8 to 64 queries a second, each of which takes PostgreSQL 50 ms."""
    query = {"method": "POST", "path": "/graphql", "body": '{"query":"{quote}"}'}
    request = query | {"headers": {"Content-Type": "application/json"}}
    return {
        "version": 1,
        "name": "stack",
        "seed": 5,
        "steady_tolerance": "80%",
        "target": {
            "use": str(STACK / "target.yaml"),
            "settings": dict(settings or {}),
            "limits": {"api": {"cpus": api_cpus}} if api_cpus else {},
        },
        "load": {"quotes": {"request": request, "rate": "8/s", "arrivals": "poisson", "timeout": "2s"}},
        "phases": [
            {"warmup": {"for": "1s"}},
            {"baseline": {"for": "4s"}},
            {"surge": {"for": "6s", "multiply": {"quotes": 8}}},
        ],
        "faults": faults or [],
        "objectives": ["quotes errors < 1% in surge"],
    }


def plan_of(scenario: Day, folder: Path) -> Plan:
    """Return the plan of a scenario, which is written into `folder`."""
    file = folder / "scenario.yaml"
    YAML().dump(scenario, file)
    return with_driver(planning.build(load(file)))


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """The stack while it is up."""

    target: Target
    engine: docker.DockerClient
    run_id: str

    async def play(self, scenario: Day, folder: Path, *, blind: bool = False) -> Result:
        """Size the services as `scenario` says, play it, and return what comes of it; `blind`: nobody reads metrics."""
        plan = plan_of(scenario, folder)
        if blind:
            unseen = tuple(replace(instance, metrics=None) for instance in plan.instances)
            plan = replace(plan, resources=(), instances=unseen)
        await asyncio.to_thread(self._resize, scenario["target"])
        reports = RunFolder.create(folder / "reports", plan, scenario_text="", provenance={})
        recorder = Recorder(reports, state := LiveState(plan), Clock.starting_now())
        faults = FaultPlane(plan, self.target.layout.links, self.target.server, recorder.clock, recorder.emit)
        entries = {name: self.target.layout.links[name].listen for name in plan.entries}
        load_ = LoadProcesses(plan, reports.path / "plan.json", entries, reports.path / "logs", self.target.environment)
        async with AsyncExitStack() as undo:
            undo.callback(reports.close)
            undo.push_async_callback(load_.stop)
            await load_.start()
            stage = Stage(replace(self.target, faults=faults), load_)
            await Performance(plan, stage, recorder, state).play(NoWatcher(), Stop())
        result = await asyncio.to_thread(analyse, plan, reports.history().history)
        reports.save_result(encode(result))
        return result

    def _resize(self, target: Mapping[str, Any]) -> None:
        defaults = {"pgbouncer.pool_size": 8, "nginx.connections": 1000}
        for setting, value in {**defaults, **target["settings"]}.items():
            status, said = self._container(setting.partition(".")[0]).exec_run(
                ["sh", "-c", RESIZE[setting].format(value)]
            )
            assert status == 0, said.decode()
        cpus = target["limits"].get("api", {}).get("cpus")
        quota_us = int(cpus * CPU_PERIOD_US) if cpus else -1
        self._container("api").update(cpu_period=CPU_PERIOD_US, cpu_quota=quota_us)

    def _container(self, instance: str) -> Any:  # noqa: ANN401 - the SDK has no types
        wanted = [f"{containers.RUN_LABEL}={self.run_id}", f"{containers.INSTANCE_LABEL}={instance}"]
        (container,) = self.engine.containers.list(filters={"label": wanted})
        return container


@asynccontextmanager
async def third_party(settings: Mapping[str, int], run_id: str, folder: Path) -> AsyncIterator[ThirdParty]:
    """Bring the stack up with `settings`, and take it down afterwards."""
    plan = plan_of(day(settings=settings), folder)
    (folder / "logs").mkdir()
    async with AsyncExitStack() as undo:
        engine = containers.connect()
        undo.callback(engine.close)
        sink = Discard(Clock.starting_now())
        target = await bring_up_target(plan, run_id, folder / "logs", sink, NoWatcher(), undo)
        yield ThirdParty(target, engine, run_id)
