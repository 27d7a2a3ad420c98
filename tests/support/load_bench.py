"""The lean client in this process: a dispatcher, its pools, and one stream that is played at given moments."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from chaoskit.address import Address
from chaoskit.load.arrival import Limits, Stream
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.load.flow import Arrival, Client, Flow
from chaoskit.load.outcomes import Outcomes, Recorder
from chaoskit.load.policy import policy_for
from chaoskit.load.pool import Pool
from chaoskit.load.routing import router_for
from chaoskit.load.run_time import RunTime
from chaoskit.plan.arrivals import Schedule
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.model import Routing
from tests.support.load_plan import get, stream_of


class Bench:
    """A dispatcher with one pool for each address; plays a flow at given milliseconds."""

    def __init__(self, addresses: Sequence[Address], limit: int) -> None:
        self.run_time = RunTime()
        self.pools = [Pool(f"client->{n}", "client->web", address, limit) for n, address in enumerate(addresses)]
        self.dispatcher = Dispatcher(self.run_time, self.pools)
        self.stream: Stream | None = None

    def play(
        self,
        flow: Flow,
        *,
        at_ms: Sequence[int] = (0,),
        keys: Sequence[int] = (),
        timeout_s: float = 2.0,
        routing: Routing = "round_robin",
        retries: PlannedRetries | None = None,
        hedge: PlannedHedge | None = None,
        limits: Limits | None = None,
        error_code: str | None = None,
        dispatch: Callable[[Stream, Schedule], object] | None = None,
        drain_until_us: int = 10_000_000,
    ) -> list[Outcomes]:
        recorders = [Recorder("trading", pool.name) for pool in self.pools]
        router = router_for(routing, len(self.pools))
        planned = replace(stream_of(get("/"), (1, 1)), routing=routing, retries=retries, hedge=hedge)
        policy = policy_for(planned, router, worker=0)
        self.stream = Stream("trading", flow, router, round(timeout_s * 1e6), recorders, {"s": "1"}, {}, policy)
        self.stream.limits, self.stream.error_code = limits, error_code
        times_us = np.array(at_ms, dtype=np.int64) * 1000
        drawn = np.array(keys or [0] * len(at_ms), dtype=np.uint32)
        self.run_time.release(time.monotonic())
        if dispatch is None:
            self.dispatcher.play(self.stream, Schedule(times_us, drawn), 0, 1)
        else:
            dispatch(self.stream, Schedule(times_us, drawn))
        self.dispatcher.drain(drain_until_us)
        for pool in self.pools:
            pool.limit = pool.places
        return [recorder.take() for recorder in recorders]


Start = Callable[..., Bench]


def getting(path: str, method: str = "GET") -> Flow:
    def flow(client: Client, arrival: Arrival) -> None:
        client.request(method, path)

    return flow
