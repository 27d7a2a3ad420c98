"""Everything of one load process but its pipes: prepared from a plan, released, watched, drained."""

import contextlib
import io
import os
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, Final

import gevent
import locust
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.runners import LocalRunner, WorkerRunner
from locust.stats import RequestStats

from chaoskit.address import Address
from chaoskit.errors import SetupFailed
from chaoskit.load.arrival import Limits, Stream
from chaoskit.load.dispatcher import Dispatcher
from chaoskit.load.feed import Feed
from chaoskit.load.flow import load_flow
from chaoskit.load.health import Heartbeat, health, resources
from chaoskit.load.locustfile import LocustfileStream, Place, listener
from chaoskit.load.messages import Setup, TakeOver
from chaoskit.load.outcomes import Recorder
from chaoskit.load.policy import policy_for
from chaoskit.load.pool import Pool
from chaoskit.load.references import resolved
from chaoskit.load.routing import router_for
from chaoskit.load.run_time import RunTime
from chaoskit.load.statistics import LocustStatistics, listeners, merge
from chaoskit.load.stream_user import Playing, user_class
from chaoskit.load.subscription import CLOSING_S, Subscriber
from chaoskit.plan.arrivals import schedule
from chaoskit.plan.model import Plan, PlannedStream
from chaoskit.plan.share import Share
from chaoskit.records import Record, RunEvent, encode

_WARM_CONNECTIONS: Final = 16
_STOP_TIMEOUT_S: Final = 2.0  # a user of a locustfile may finish its request when its phase ends


class Player:
    """Plays one worker's share of a plan in `environment`, which has a runner (local or a worker's) and no users."""

    def __init__(self, plan: Plan, setup: Setup, environment: Environment) -> None:
        self.plan = plan
        self.environment = environment
        own = listeners(environment)  # Locust's; whoever comes later is a user's
        self.worker = setup.worker
        self._place = Place(setup.worker, setup.workers)
        self.run_time = RunTime()
        limit = max(1, plan.generator.connections)
        links = [plan.link(name) for name in plan.entries]
        self._pools = [
            Pool(link.name, link.kind, Address.parse(setup.entries[link.name]), limit, link.host, link.tls)
            for link in links
        ]
        self.dispatcher = Dispatcher(self.run_time, self._pools)
        self.playing = Playing(self.dispatcher, Share(setup.worker, setup.workers))
        self._credentials = resolved(plan.credentials, "credential", os.environ)
        self._recorders: list[Recorder] = []
        self._streams: list[Stream] = []
        self._feeds: list[Feed] = []
        open_streams = [planned for planned in plan.streams if planned.flow.kind != "locustfile"]
        closed_streams = [planned for planned in plan.streams if planned.flow.kind == "locustfile"]
        user_classes = [self._open(planned) for planned in open_streams]
        self._locustfiles = [self._closed(planned) for planned in closed_streams]
        theirs = [each for stream in self._locustfiles for each in stream.user_classes]
        environment.user_classes = [each for each in (*user_classes, *theirs) if each.weight or each.fixed_count]
        environment.stop_timeout = _STOP_TIMEOUT_S
        if theirs:
            environment.host = self._pools[0].url
            environment.parsed_options = _options(self._pools[0].url)
        events: Any = environment.events
        if self._locustfiles:
            count = listener(self._locustfiles, self.run_time)
            events.request.add_listener(count)
            own.append(count)
        self._statistics = LocustStatistics(environment, own)
        events.init.fire(environment=environment, runner=environment.runner, web_ui=None)
        self._runner = _started(environment, user_classes)
        self._heartbeat = Heartbeat()
        self._scaling: list[gevent.Greenlet] = []

    def warm(self) -> None:
        """Open some connections, and walk once through what the first second must not wait for."""
        self.dispatcher.warm(_WARM_CONNECTIONS)
        warm_up = Recorder("warm-up", "none")
        warm_up.ok(0, 0, 1000, 1)
        warm_up.failed((0, 0, 1000), 1, "none")
        outcomes = warm_up.take()
        merge(RequestStats(), outcomes, 0.0)
        b"".join(encode(record) for record in (*outcomes.batches(self.worker), *self.records()))

    def release(self, zero_s: float) -> None:
        """Start to play; `zero_s` is the run's zero on the monotonic clock."""
        self.run_time.release(zero_s)
        self._heartbeat.start()
        self.playing.released.set()
        for stream in self._locustfiles:
            self._scaling.append(gevent.spawn(stream.scale, self.run_time, self.environment, self._place))

    def take_over(self, order: TakeOver) -> None:
        """Play what another process can play no more; returns at once."""
        self._place.place, self._place.places = order.place, order.places
        for share in order.shares:
            self.playing.take_over(share)

    def left_s(self) -> float:
        """Return how long until the plan's end, at least 0."""
        return max(0.0, self.plan.duration_s - self.run_time.now_us() / 1e6)

    def drain(self) -> None:
        """Wait for the answers that are out; see `Dispatcher.drain`."""
        gevent.joinall(self._scaling, timeout=_STOP_TIMEOUT_S + 1)
        for feed in self._feeds:
            feed.end()
        self.dispatcher.drain(round((self.plan.duration_s + self.plan.drain_s) * 1e6))
        self.dispatcher.part(CLOSING_S)

    def stop(self) -> None:
        """Stop all users."""
        self._heartbeat.stop()
        self.dispatcher.stop()
        self.environment.stop_timeout = 0.0
        gevent.killall(self._scaling)
        self._runner.quit()
        events: Any = self.environment.events
        events.quitting.fire(environment=self.environment, reverse=True)

    def records(self) -> Iterator[Record]:
        """Yield what was noted since the last call; lets others run in between."""
        now_us = self.run_time.now_us()
        for recorder in self._recorders:
            outcomes = recorder.take()
            if outcomes.count:
                yield from outcomes.batches(self.worker)
                yield from outcomes.completions(self.worker)
                if recorder not in self._closed_recorders:
                    self._statistics.add(outcomes, now_us)
        for feed in self._feeds:
            yield from feed.take(now_us)
        yield health(self.dispatcher, self.worker, self._heartbeat.worst_s())
        yield from resources(self.dispatcher, self.worker)
        for stream in self._streams:
            notes, stream.notes = stream.notes, []
            for note in notes:
                yield RunEvent(now_us / 1e6, "note", note)

    @property
    def _closed_recorders(self) -> list[Recorder]:
        return [stream.recorder for stream in self._locustfiles]

    def _open(self, planned: PlannedStream) -> type[locust.User]:
        recorders = [Recorder(planned.name, entry) for entry in self.plan.entries]
        self._recorders.extend(recorders)
        router = router_for(planned.routing, len(self._pools))
        subscriber = self._subscriber(planned)
        stream = Stream(
            name=planned.name,
            flow=load_flow(planned.name, planned.flow),
            router=router,
            policy=policy_for(planned, router, self.worker, subscriber.send if subscriber else None),
            timeout_us=round(planned.timeout_s * 1e6),
            recorders=recorders,
            settings=self.plan.settings,
            credentials=self._credentials,
            limits=_limits(planned),
            error_code=planned.error_code,
        )
        self._streams.append(stream)
        return user_class(stream, self.playing.of(stream, schedule(planned)))

    def _subscriber(self, planned: PlannedStream) -> Subscriber | None:
        subscription = planned.flow.subscription
        if subscription is None:
            return None
        headers = resolved(subscription.headers, f"in stream {planned.name}, header", os.environ)
        feeds = [
            Feed((planned.name, entry, self.worker), subscription.expect, subscription.age)
            for entry in self.plan.entries
        ]
        self._feeds.extend(feeds)
        return Subscriber(subscription, headers, feeds)

    def _closed(self, planned: PlannedStream) -> LocustfileStream:
        recorder = Recorder(planned.name, self.plan.entries[0])
        self._recorders.append(recorder)
        return LocustfileStream(planned, recorder, self._pools[0].url)


def _limits(planned: PlannedStream) -> Limits | None:
    connect_s, first_byte_s = planned.connect_timeout_s, planned.first_byte_timeout_s
    if connect_s is None and first_byte_s is None:
        return None
    return Limits(*(None if limit_s is None else round(limit_s * 1e6) for limit_s in (connect_s, first_byte_s)))


def _started(environment: Environment, user_classes: list[type[locust.User]]) -> LocalRunner | WorkerRunner:
    """Return the environment's runner with one user of each class, which wait for the release."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        events: Any = environment.events
        events.test_start.fire(environment=environment)
        runner.start_worker({each.__name__: 1 for each in user_classes})
        return runner
    assert isinstance(runner, LocalRunner)
    runner.start(len(user_classes), spawn_rate=max(1, len(user_classes)), user_classes=[*user_classes])
    return runner


def _options(host: str) -> Namespace:
    """Return Locust's options, and those that locustfiles add, with their defaults or as the environment says.

    Raises:
        SetupFailed: a locustfile wants an option that has no default.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            options: Namespace = get_parser(default_config_files=[]).parse_args([])
    except SystemExit as error:
        why = complaint.getvalue().strip().rpartition("error: ")[2]
        message = f"a locustfile's options are not complete: {why}; give the option a default, or an `env_var`"
        raise SetupFailed(message) from error
    options.host = host
    return options
