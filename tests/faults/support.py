"""Links, plans and upstream servers for the tests of the fault plane."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import httpx

from chaoskit.address import Address
from chaoskit.clock import Clock
from chaoskit.environment import ProcessDriver, Workspace
from chaoskit.faults.plane import FaultPlane
from chaoskit.faults.server import ProxyServer
from chaoskit.plan.model import GeneratorPlan, Plan, PlannedFault, PlannedLink, Probe, Scalar
from chaoskit.records import FaultEvent, ProbeSample, Receipt, Record
from tests.faults.upstreams import SERVERS, Handler
from tests.support import small_plan
from tests.support.sockets import free_port

Protocol = Literal["http", "postgres", "redis", "text", "tcp"]
PROBES: dict[Protocol, Probe] = {
    "http": Probe("http", path="/health"),
    "postgres": Probe("postgres"),
    "redis": Probe("redis"),
    "text": Probe("text", send="hello\n", expect="echo hello\n"),
    "tcp": Probe("tcp"),
}


@dataclass(frozen=True)
class Addresses:
    listen: Address
    upstream: Address
    caveat: str = ""


def free_address() -> Address:
    return Address("127.0.0.1", free_port())


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[Address]:
    """A server on loopback whose connections `handle` serves; none of them outlives it."""
    open_: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_[task] = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handle(reader, writer)
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        del open_[task]

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in open_.values():
            writer.transport.abort()
        await asyncio.gather(*open_)


def upstream(protocol: Protocol) -> AbstractAsyncContextManager[Address]:
    """A healthy server that speaks `protocol`."""
    return serving(SERVERS["text" if protocol == "tcp" else protocol])


def link(name: str = "gateway->positions", protocol: Protocol = "http", regions: tuple[str, ...] = ()) -> PlannedLink:
    source, _, destination = name.partition("->")
    return PlannedLink(name, name, source, destination, "main", regions, PROBES[protocol])


def fault(
    kind: str,
    parameters: Mapping[str, Scalar] | None = None,
    *,
    links: tuple[str, ...] = ("gateway->positions",),
    window: tuple[float, float] = (0.0, 1.0),
    id_: str | None = None,
) -> PlannedFault:
    return PlannedFault(
        id_ or f"{kind}-1", kind, kind, parameters or {}, links, None, None, "surge", window[0], window[1]
    )


def component_fault(
    kind: str,
    instance: str,
    parameters: Mapping[str, Scalar] | None = None,
    *,
    window: tuple[float, float] = (0.0, 1.0),
    id_: str | None = None,
) -> PlannedFault:
    place = (instance.partition("@")[0], "surge", window[0], window[1], (instance,))
    return PlannedFault(id_ or f"{kind}-1", kind, kind, parameters or {}, (), None, *place)


def plan_of(
    links: Sequence[PlannedLink] = (), faults: Sequence[PlannedFault] = (), toxiproxy_url: str | None = None
) -> Plan:
    return Plan(
        version=1,
        scenario="test",
        title="test",
        seed=7,
        target="test",
        driver="process",
        regions=(),
        duration_s=10.0,
        drain_s=0.0,
        baseline_phase=None,
        surge_phase=None,
        phases=(),
        streams=(),
        faults=tuple(faults),
        instances=(),
        links=tuple(links),
        entries=(),
        resources=(),
        figures=(),
        settings={},
        credentials={},
        objectives=(),
        abort_rules=(),
        generator=GeneratorPlan(),
        toxiproxy_url=toxiproxy_url,
    )


@dataclass
class Stage:
    """A fault plane over real proxies, with everything that it emitted."""

    addresses: Mapping[str, Addresses]
    clock: Clock
    plane: FaultPlane = field(init=False)
    driver: ProcessDriver = field(init=False)
    records: list[Record] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, record: Record) -> None:
        self.records.append(record)
        self.news.set()

    async def happened(self, steps: Sequence[str]) -> None:
        """Wait until the steps of all faults together are `steps`."""
        async with asyncio.timeout(10):
            while [step for _, step in self.steps] != list(steps):
                self.news.clear()
                await self.news.wait()

    async def ask(self, instance: str, path: str) -> None:
        """Send one request to an instance, past its link."""
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.get(f"http://{self.addresses[f'client->{instance}'].upstream}{path}")).raise_for_status()

    @property
    def steps(self) -> list[tuple[str, str]]:
        return [(record.fault, record.step) for record in self.records if isinstance(record, FaultEvent)]

    def steps_of(self, fault_id: str) -> list[str]:
        return [step for fault_, step in self.steps if fault_ == fault_id]

    @property
    def receipts(self) -> list[Receipt]:
        return [record for record in self.records if isinstance(record, Receipt)]

    @property
    def probes(self) -> list[ProbeSample]:
        return [record for record in self.records if isinstance(record, ProbeSample)]


@asynccontextmanager
async def stage(
    server: ProxyServer, links: Sequence[PlannedLink], faults: Sequence[PlannedFault] = ()
) -> AsyncIterator[Stage]:
    """Upstreams, proxies and a plane for `links`; all of it is gone afterwards."""
    async with _upstreams(links) as addresses:
        clock = Clock.starting_now()
        on = Stage(addresses, clock)
        plane = on.plane = FaultPlane(plan_of(links, faults), addresses, server, clock, on.emit)
        plane.margin_s = 0.6
        await plane.create_links()
        try:
            yield on
        finally:
            await plane.delete_links()


@asynccontextmanager
async def component_stage(server: ProxyServer, faults: Sequence[PlannedFault], folder: Path) -> AsyncIterator[Stage]:
    """A real process for each instance that the faults name, with a link to each; all of it is gone afterwards."""
    names = sorted({name for one in faults for name in one.instances})
    links = [small_plan.link("client", name) for name in names]
    plan = replace(small_plan.plan_of([small_plan.instance(name) for name in names], links), faults=tuple(faults))
    workspace = Workspace.create(os.urandom(4).hex(), folder)
    driver = ProcessDriver(plan, workspace, folder / "logs")
    try:
        layout = await driver.prepare()
        addresses = {name: Addresses(link.listen, link.upstream) for name, link in layout.links.items()}
        clock = Clock.starting_now()
        on = Stage(addresses, clock)
        on.driver = driver
        on.plane = FaultPlane(plan, layout.links, server, clock, on.emit, driver)
        await on.plane.create_links()
        await driver.start()
        clock.restart(time.monotonic())
        yield on
        await on.plane.delete_links()
    finally:
        await driver.stop()


@asynccontextmanager
async def _upstreams(links: Sequence[PlannedLink]) -> AsyncIterator[dict[str, Addresses]]:
    if not links:
        yield {}
        return
    protocol = links[0].probe.protocol
    async with upstream(protocol) as address, _upstreams(links[1:]) as rest:
        yield {links[0].name: Addresses(free_address(), address), **rest}
