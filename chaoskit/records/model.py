"""What a run hands up: frozen records on one time axis, seconds since the plan's zero.

Every record has a `type`, so that one JSON line says what it is. Counters are cumulative since their source
started, as Prometheus counters are; the analysis takes differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import AliasChoices, Discriminator, Field

from chaoskit.records.histogram import Histogram

FaultStep = Literal["intent", "applied", "lifting", "lifted", "proven_clean", "failed"]
ProbeOutcome = Literal["ok", "refused", "reset", "closed", "timeout", "wrong_answer"]
InstanceState = Literal["running", "paused", "exited", "oom_killed"]
UNSENT: Final = "unsent"
"""Why an arrival failed for which no connection came free in time, or that its process was too busy to send."""
LOST: Final = "lost with its load process"
"""Why an arrival failed whose load process ended before it handed up what became of it."""


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Outcomes of arrivals whose *intended* start lies in `[second, second + 1)`.

    Several batches may carry one (stream, entry, second); they add up. `response_us` counts from the intended start,
    `service_us` from the sending, both of successes only. `lag_us` is the load generator's own lateness, of everything
    sent: sent - intended, less the wait for a free connection (which a slow target causes; it is `wait_s` of
    `generator.connections`). `failed` counts by reason (`status 503`, `timeout`, `refused`, `reset`, `unsent`, …).
    `attempts` counts each try of a retrying client, so it is at least what was sent.
    """

    stream: str
    entry: str
    second: int
    worker: int
    ok: int
    failed: Mapping[str, int]
    attempts: int
    response_us: Histogram
    service_us: Histogram
    lag_us: Histogram
    type: Literal["sample"] = "sample"


@dataclass(frozen=True, slots=True)
class Completions:
    """Arrivals that *ended* in `[second, second + 1)`, whenever they were meant to start: the throughput."""

    stream: str
    entry: str
    second: int
    worker: int
    ok: int
    failed: int
    type: Literal["completions"] = "completions"


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """What the subscribers of one stream at one entry got in `[second, second + 1)`.

    `listeners` is how many there are at its end, `opened` how many came, `dropped` how many the other side let go, by
    reason (`closed 1001`, `reset`). `silence_us` has one value for each subscriber that listened in this second: how
    long it was without a message at most, counted from the last one, also where that came seconds before. `age_us` is
    how old messages were on arrival, of those that say when they were made.
    """

    stream: str
    entry: str
    second: int
    worker: int
    opened: int
    listeners: int
    messages: int
    size_bytes: int
    dropped: Mapping[str, int]
    silence_us: Histogram
    age_us: Histogram
    type: Literal["messages"] = "messages"


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """State of one load process. `loop_lag_s` is the worst since the sample before; `cpu_s` is cumulative."""

    t_s: float
    worker: int
    cpu_s: float
    loop_lag_s: float
    in_flight: int
    connections: int
    backlog: int
    type: Literal["generator"] = "generator"


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """One scrape of one resource (design: resource metrics); all but the queue fields are cumulative."""

    t_s: float
    resource: str
    servers: float
    busy_s: float
    blocked_s: Mapping[str, float] = field(default_factory=dict)
    arrivals: float = 0.0
    completions: float = 0.0
    rejections: Mapping[str, float] = field(default_factory=dict)
    wait_s: float = 0.0
    queue_length: float = 0.0
    queue_limit: float | None = None
    type: Literal["resource"] = "resource"


@dataclass(frozen=True, slots=True)
class UsageSample:
    """What one process tree uses: `source` is an instance (`gateway@eu-west-1`), `proxy` or `generator@0`.

    `cpu_wait_s` is how long its threads were ready to run and had no CPU, all of them together (cumulative): because
    the machine was busy, or a limit took the CPU away. None: not known here.
    """

    t_s: float
    source: str
    cpu_s: float
    memory_bytes: int
    open_files: int
    cpu_wait_s: float | None = None
    type: Literal["usage"] = "usage"


@dataclass(frozen=True, slots=True)
class HostSample:
    """The machine: CPU seconds spent busy over all cores (cumulative), how many cores, memory still available."""

    t_s: float
    cpu_busy_s: float
    cpu_count: int
    memory_available_bytes: int
    type: Literal["host"] = "host"


@dataclass(frozen=True, slots=True)
class FigureSample:
    """One reading of a figure that the target's manifest declares (`figures:`), in the manifest's unit."""

    t_s: float
    instance: str
    figure: str
    value: float
    type: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True)
class MetricSample:
    """What a reading of the target's own findings (`findings:`) saw at one instance, written down when it changed.

    `reading` is an aggregate over series and a selector: `sum NAME`, `max NAME`, `min NAME`, or `bucket 0.5 NAME` of a
    histogram, whose buckets are cumulative.
    """

    t_s: float
    instance: str
    reading: str
    value: float
    type: Literal["metric"] = "metric"


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """One probe of a link: connect, ask, read. Times are None where that stage was not reached.

    `answer_bytes` were read until `outcome`; `close_ms` is the time from the last byte to the end of the connection,
    where the probe waited for it.
    """

    t_s: float
    link: str
    outcome: ProbeOutcome
    connect_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None
    answer_bytes: int = 0
    reads: int = 0
    close_ms: float | None = None
    type: Literal["probe"] = "probe"


@dataclass(frozen=True, slots=True)
class Vitals:
    """How one instance was when it was looked at: a value within `VitalsSample`.

    `paused` only where every one of its `processes` (living ones) stands still, `oom_killed` where it ended because of
    its memory limit. `exit_code` is that of the last end, negative where a signal did it (-9: SIGKILL), None before the
    first. `cpu_s` is cumulative while it lives. `peak_bytes` is the most memory since it was limited (or in use now) as
    the limit counts it, `oom_kills` how many processes the limit has killed; None where that cannot be known.
    """

    state: InstanceState
    processes: int = 0
    cpu_s: float = 0.0
    memory_bytes: int = 0
    peak_bytes: int | None = None
    oom_kills: int | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class VitalsSample:
    """One look at an instance around a fault of its component."""

    t_s: float
    instance: str
    vitals: Vitals
    type: Literal["vitals"] = "vitals"


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """A step in the life of one planned fault, when it really happened."""

    t_s: float
    fault: str
    step: FaultStep
    detail: str = ""
    type: Literal["fault"] = "fault"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a fault really did in one place, measured: requested against delivered, as sentences.

    `place` is a link, which was probed, or an instance, which was looked at; `probes` counts either. `effective` is
    None when they cannot tell; `clean_after` says whether the link was proven clean, the instance alive and ready.
    `measure` names what was compared ("added delay", "share refused"); `before`, `during`, `after` are its values in
    `unit`.
    """

    fault: str
    place: Annotated[str, Field(validation_alias=AliasChoices("place", "link"))]
    """Called `link` in journals from before components could be struck."""
    requested: str
    delivered: str
    effective: bool | None
    clean_after: bool | None
    measure: str = ""
    unit: str = ""
    before: float | None = None
    during: float | None = None
    after: float | None = None
    probes: int = 0
    type: Literal["receipt"] = "receipt"


@dataclass(frozen=True, slots=True)
class PhaseEvent:
    """A phase really started or ended."""

    t_s: float
    phase: str
    step: Literal["started", "ended"]
    type: Literal["phase"] = "phase"


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Anything else on the time axis: `setup_failed`, `gate`, `abort`, `component_died`, `worker_lost`, `note`."""

    t_s: float
    event: str
    detail: str
    type: Literal["run"] = "run"


Record = (
    SampleBatch
    | Completions
    | MessageBatch
    | GeneratorHealth
    | ResourceSample
    | UsageSample
    | HostSample
    | FigureSample
    | MetricSample
    | ProbeSample
    | VitalsSample
    | FaultEvent
    | Receipt
    | PhaseEvent
    | RunEvent
)
AnyRecord = Annotated[Record, Discriminator("type")]
