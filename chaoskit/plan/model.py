"""The plan: everything a run will do, resolved and absolute, with nothing left to look up.

A plan is data. It comes from a scenario and a target manifest by pure functions; the same file and seed give the same
bytes. All times are seconds since the run's zero, all rates per second. Every layer above works from the plan alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from chaoskit.metric import Comparison, Metric
from chaoskit.plan.clients import PlannedHedge, PlannedRetries
from chaoskit.plan.finding import PlannedFinding
from chaoskit.plan.flow import PlannedFlow
from chaoskit.plan.tls import PlannedTls

Scalar = str | int | float | bool
ArrivalKind = Literal["constant", "poisson", "hawkes", "tape"]
Routing = Literal["round_robin", "pinned", "failover"]
ResourceKind = Literal["pool", "server", "queue", "limiter", "cpu", "link"]
DriverName = Literal["auto", "process", "docker", "compose", "external"]
"""How the target comes up; `auto` is settled when the run starts, for it depends on the machine."""


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """A stretch of the run; `multiply` is each stream's multiple of its baseline rate once the ramp is over."""

    name: str
    start_s: float
    end_s: float
    ramp_s: float
    multiply: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one stream's schedule in which the arrival rate runs in a straight line."""

    start_s: float
    end_s: float
    start_rps: float
    end_rps: float


@dataclass(frozen=True, slots=True)
class Excitation:
    """What an arrival sets off: `branching_ratio` others on average (below 1), `decay_s` later on average."""

    branching_ratio: float
    decay_s: float


@dataclass(frozen=True, slots=True)
class PlannedStream:
    """One kind of load. Open model: arrivals come by `segments`; a locustfile is closed model and has `users` instead,
    and its segments are numbers of users in place of rates. `excitation` goes with `hawkes` arrivals.

    `expected_per_second[k]` is how many arrivals the schedule puts into second k. `surge_multiple` is the stream's
    multiple in the declared surge, 1 where there is none.
    """

    name: str
    flow: PlannedFlow
    arrivals: ArrivalKind
    seed: int
    baseline_rps: float
    surge_multiple: float
    segments: tuple[Segment, ...]
    expected_per_second: tuple[int, ...]
    routing: Routing
    timeout_s: float
    users: int | None = None
    retries: PlannedRetries | None = None
    hedge: PlannedHedge | None = None
    excitation: Excitation | None = None
    connect_timeout_s: float | None = None
    first_byte_timeout_s: float | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """How a link is asked for a sign of life: `http` (GET `path`), `postgres` (SSLRequest), `redis`, `text`, `tcp`.

    `text` sends `send` and wants an answer that begins with `expect`; `tcp` connects only and can prove no more.
    """

    protocol: Literal["http", "postgres", "redis", "text", "tcp"]
    path: str = "/"
    send: str = ""
    expect: str = ""


@dataclass(frozen=True, slots=True)
class PlannedPort:
    """A port that an instance listens on."""

    name: str
    probe: Probe


@dataclass(frozen=True, slots=True)
class PlannedReady:
    """How an instance shows that it is ready: an HTTP 2xx on `path`, or a connect where `path` is None."""

    port: str
    path: str | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class PlannedMetrics:
    """Where an instance's Prometheus text is; `instance` serves it where that is another one, an exporter."""

    port: str
    path: str
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedQuantity:
    """A figure out of a third party's metrics: (sum of the series `plus` - sum of `minus`) x `scale` + `constant`.

    The series are selectors as `chaoskit.selector` reads them. Without any, the figure is the constant.
    """

    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    scale: float = 1.0
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedMapping:
    """Where each figure of a resource comes from: `servers`, `busy`, `arrivals`, … as in `ResourceSample`.

    `blocked` is by what was waited for. `level`: `busy` is how many servers are in use, and not a counter of seconds.
    """

    quantities: Mapping[str, PlannedQuantity]
    blocked: Mapping[str, PlannedQuantity] = field(default_factory=dict)
    level: bool = False


@dataclass(frozen=True, slots=True)
class PlannedBuild:
    """An image that is built from the folder `context`; `dockerfile` is seen from there."""

    context: str
    dockerfile: str = "Dockerfile"
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedContainer:
    """How an instance runs in a container: an image by name, or one that is built; neither where compose knows it.

    `command` is a template like the instance's own; empty where the image has its own. `ports` are the container's own
    port numbers by name. `memory_bytes` and `cpus` (cores) are the most that it may use; None is no limit.
    """

    image: str | None = None
    build: PlannedBuild | None = None
    command: tuple[str, ...] = ()
    user: str = "65534:65534"
    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int = 1024
    writable: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedCompose:
    """The compose files whose services are the instances, as absolute paths, and the profiles that are switched on."""

    files: tuple[str, ...]
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedInstance:
    """One process or container: `gateway@us-east-1`, or `engine` where it exists once.

    `command` and `environment` are templates still: `{python}`, `{host}`, `{ports.NAME}`, `{links.NAME}`,
    `{settings.NAME}`, `{region}`, `{seed}`, `{workdir}` are filled in by the driver, which alone knows ports. `command`
    is empty where the instance runs in a container only. `settings` are already in the manifest's units. `links` maps a
    destination component to the names of this instance's links to it. `service` is its name in a compose file.
    """

    name: str
    component: str
    region: str | None
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    ports: tuple[PlannedPort, ...]
    ready: PlannedReady | None
    metrics: PlannedMetrics | None
    settings: Mapping[str, Scalar]
    links: Mapping[str, tuple[str, ...]]
    container: PlannedContainer | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """A TCP edge through a proxy: `gateway@us-east-1->engine`; its `kind` is the manifest's name, `gateway->engine`.

    `source` is an instance or `client`. `regions` are those of its two ends. `upstream` is HOST:PORT for an external
    target, None where the driver chooses the port; `listen` likewise for a proxy that has to be at a given place.
    `host` is what requests call such a target, `tls` how it is encrypted.
    """

    name: str
    kind: str
    source: str
    destination: str
    port: str
    regions: tuple[str, ...]
    probe: Probe
    upstream: str | None = None
    listen: str | None = None
    host: str | None = None
    tls: PlannedTls | None = None


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """Something that can run out: `exchange/gateway@us-east-1.db_pool`; its `kind_id` drops the region.

    `sized_by` names the setting that sizes it (`gateway.db_pool`) and `setting` is that setting's value as text.
    `mapping` says where its figures come from, None: by its name as the `resource` label. `waits_for` is what the
    manifest says that it is held for, where no metrics tell.
    """

    id: str
    kind_id: str
    instance: str
    name: str
    kind: ResourceKind
    sized_by: str | None = None
    setting: str | None = None
    feeds: str | None = None
    help: str = ""
    mapping: PlannedMapping | None = None
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A declared disturbance with its real window; `parameters` are in SI units, keyed with the unit (`delay_s`).

    It strikes `links`, or the `instances` that `component` (`positions`, `positions@us-east-1`) means.
    """

    id: str
    kind: str
    title: str
    parameters: Mapping[str, Scalar]
    links: tuple[str, ...]
    region: str | None
    component: str | None
    phase: str
    start_s: float
    end_s: float
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedFigure:
    """A figure of the target's own trade, charted by metric name."""

    metric: str
    component: str
    unit: str
    title: str


@dataclass(frozen=True, slots=True)
class Objective:
    """A bound that must hold in a phase. `stream` None means all streams together; `phase` None the whole run.

    `bound` is in seconds (quantiles, recovery), a ratio (errors, drops) or per second (rate, messages). `quantile` is
    0 … 1. `silence_quantile` to `drops` are of the messages that subscribers get, `finding` is one of the target's.
    """

    text: str
    stream: str | None
    metric: Metric
    quantile: float | None
    comparison: Comparison
    bound: float
    phase: str | None
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class AbortRule:
    """The run is stopped once the objective's opposite has held for `for_s`."""

    objective: Objective
    for_s: float


@dataclass(frozen=True, slots=True)
class GeneratorPlan:
    """How load is made: load processes, connections each may hold per entry, and the bound on its own lateness.

    `max_lag_s`: above this p99 of send lag in any phase the run proves nothing (inconclusive). With `remote_workers` no
    load process is started here: so many workers are awaited at `listen` (HOST:PORT). `web` is where Locust's own page
    is shown (HOST:PORT), `csv` how the paths of its CSV files begin; empty: neither.
    """

    workers: int = 1
    connections: int = 2000
    max_lag_s: float = 0.05
    remote_workers: int = 0
    listen: str = "127.0.0.1:5557"
    web: str = ""
    csv: str = ""

    @property
    def load_processes(self) -> int:
        """How many load processes play, here or elsewhere."""
        return self.remote_workers or max(1, self.workers)


@dataclass(frozen=True, slots=True)
class Plan:
    """One whole run. `baseline_phase` and `surge_phase` name what the analysis compares; None where there is none.

    `drain_s` is how long answers are awaited after the last arrival. `incident` tells of the outage behind the
    scenario: `article` and, where it differs, `record`. `limited` are the components that the scenario itself
    limits, which only containers can be.
    """

    version: int
    scenario: str
    title: str
    seed: int
    target: str
    driver: DriverName
    regions: tuple[str, ...]
    duration_s: float
    drain_s: float
    baseline_phase: str | None
    surge_phase: str | None
    phases: tuple[PlannedPhase, ...]
    streams: tuple[PlannedStream, ...]
    faults: tuple[PlannedFault, ...]
    instances: tuple[PlannedInstance, ...]
    links: tuple[PlannedLink, ...]
    entries: tuple[str, ...]
    resources: tuple[PlannedResource, ...]
    figures: tuple[PlannedFigure, ...]
    settings: Mapping[str, str]
    credentials: Mapping[str, str]
    objectives: tuple[Objective, ...]
    abort_rules: tuple[AbortRule, ...]
    generator: GeneratorPlan
    expected_bottleneck: str | None = None
    toxiproxy_url: str | None = None
    steady_tolerance_ratio: float = 0.25
    incident: Mapping[str, str] = field(default_factory=dict)
    compose: PlannedCompose | None = None
    limited: tuple[str, ...] = ()
    variant: str | None = None
    findings: tuple[PlannedFinding, ...] = ()

    def listen_host(self, link: str) -> str:
        """Return the address at which the proxy of `link` listens: workers on other machines must reach entries."""
        remote = self.generator.remote_workers and link in self.entries
        return self.generator.listen.rpartition(":")[0] if remote else "127.0.0.1"

    def link(self, name: str) -> PlannedLink:
        """Return the link called `name`; KeyError where the plan has none."""
        return {link.name: link for link in self.links}[name]

    def phase(self, name: str) -> PlannedPhase:
        """Return the phase called `name`; KeyError where the plan has none."""
        return {phase.name: phase for phase in self.phases}[name]
