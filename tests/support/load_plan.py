"""Plans of nothing but load, in one line, and their play."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.load.processes import LoadProcesses
from chaoskit.plan.codec import encode
from chaoskit.plan.flow import HttpRequest, PlannedFlow
from chaoskit.plan.model import GeneratorPlan, Plan, PlannedLink, PlannedStream, Probe, Segment
from chaoskit.records import History

Play = Callable[..., Awaitable[History]]
ENTRY = "client->web"


def get(path: str) -> PlannedFlow:
    return PlannedFlow("request", request=HttpRequest("GET", path))


def stream_of(
    flow: PlannedFlow,
    *rates: tuple[float, float],
    name: str = "trading",
    timeout_s: float = 5.0,
    users: int | None = None,
) -> PlannedStream:
    """A stream that runs at each of `rates` (seconds, rate per second) in turn."""
    segments, start_s = [], 0.0
    for seconds, rate in rates:
        segments.append(Segment(start_s, start_s + seconds, rate, rate))
        start_s += seconds
    return PlannedStream(
        name=name,
        flow=flow,
        arrivals="constant",
        seed=7,
        baseline_rps=rates[0][1],
        surge_multiple=1.0,
        segments=tuple(segments),
        expected_per_second=(),
        routing="round_robin",
        timeout_s=timeout_s,
        users=users,
    )


def plan_of(
    *streams: PlannedStream,
    entries: Sequence[str] = (ENTRY,),
    workers: int = 1,
    connections: int = 200,
    settings: Mapping[str, str] | None = None,
    drain_s: float = 3.0,
) -> Plan:
    """A plan of nothing but load."""
    return Plan(
        version=1,
        scenario="load-test",
        title="",
        seed=7,
        target="web",
        driver="external",
        regions=(),
        duration_s=max(stream.segments[-1].end_s for stream in streams),
        drain_s=drain_s,
        baseline_phase=None,
        surge_phase=None,
        phases=(),
        streams=streams,
        faults=(),
        instances=(),
        links=tuple(PlannedLink(name, "client->web", "client", "web", "http", (), Probe("http")) for name in entries),
        entries=tuple(entries),
        resources=(),
        figures=(),
        settings=settings or {},
        credentials={"api_key": "k"},
        objectives=(),
        abort_rules=(),
        generator=GeneratorPlan(workers, connections),
    )


async def play_plan(
    folder: Path, plan: Plan, *addresses: Address, during: Callable[[LoadProcesses], object] | None = None
) -> History:
    """Play `plan` against addresses (one for each entry) in real load processes; return what they handed up.

    `during` is called once the processes are released.
    """
    path = folder / "plan.json"
    path.write_bytes(encode(plan))
    load = LoadProcesses(plan, path, dict(zip(plan.entries, addresses, strict=True)), folder, {})
    await load.start()
    try:
        load.release(Clock(time.monotonic() + 0.1))
        if during is not None:
            during(load)
        return History.of([record async for record in load.records()])
    finally:
        await load.stop()
