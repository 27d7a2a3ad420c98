"""What the analysis says of a run: the content of `result.json` (schema version 1).

All times are seconds since the run's zero, all durations seconds, all rates per second, all shares ratios.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

MOSTLY: Final = 0.5
"""A finding does not lead while no cause was found for more than this part of the harm."""


class Verdict(StrEnum):
    """The four outcomes; `pass` only when proven."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """One objective with what was measured. `met` is None when the run could not tell; `reason` says why."""

    text: str
    met: bool | None
    measured: float | None
    bound: float
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class SaturationPoint:
    """The load at which something gives way: the surge share and, by stream, the multiple of baseline and the rate."""

    share: float
    multiples: Mapping[str, float]
    rates_rps: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact with its number: `utilization 1.00 (baseline 0.01)`; `source` says which records it rests on."""

    statement: str
    source: str


@dataclass(frozen=True, slots=True)
class CauseStep:
    """One step from the stream that hurts to the root: `subject` is a stream, resource, link, region or fault id."""

    subject: str
    role: Literal["symptom", "victim", "root"]
    statement: str


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A finding. `resource` is a resource id without the region where all regions agree, `link:NAME`, `region:NAME`,
    `host.cpu` or `generator.…`; `kind` is the resource's kind, or `link`, `region`, `host`, `generator`.

    `fault` names the fault that is the root or made it worse, `setting` the setting that sizes the resource.
    `capacity_per_s` is that of all instances together, `utilization` its peak in the seconds of harm, `confidence` is
    0 … 1. `explains` is the share of all arrivals that failed or came late (0 … 1), None where they are not counted.
    """

    resource: str
    kind: str
    title: str
    saturates_at: SaturationPoint | None
    prediction: str
    capacity_per_s: float | None
    utilization: float | None
    confidence: float
    evidence: tuple[Evidence, ...]
    cause_chain: tuple[CauseStep, ...]
    fault: str | None = None
    setting: str | None = None
    explains: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One resource on the ladder of what gives way next, nearest first. `own_share` leaves out what it waits for.

    `demand_s` is the time of one visit, `capacity_per_s` that of all instances together, `setting` names what sizes it.
    The utilisations are means of the phase. A target seen from outside only (kind `target`) has none, and no demand.
    """

    resource: str
    kind: str
    saturates_at: SaturationPoint
    own_share: float | None
    baseline_utilization: float | None
    surge_utilization: float | None
    demand_s: float
    capacity_per_s: float | None
    setting: str | None
    saturated: bool


@dataclass(frozen=True, slots=True)
class Messages:
    """What the subscribers of a stream got in one phase.

    `listeners` is the most that listened at once, `opened` how many came, `dropped` how many the other side let go, by
    reason, and `drops_ratio` that of all who listened. `silence_s` is by quantile over subscribers and seconds: how
    long each was without a message at most; `age_s` over messages: how old they were on arrival.
    """

    listeners: int
    opened: int
    messages: int
    messages_rps: float
    bytes_per_s: float
    dropped: Mapping[str, int]
    drops_ratio: float
    silence_s: Mapping[str, float]
    age_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StreamPhase:
    """One stream in one phase. Latencies are of successes, by quantile name (`p50`, `p99`, `p99.9`), in seconds.

    A quantile that the number of samples cannot carry is left out. `messages` is what followed, of subscriptions.
    """

    offered: int
    ok: int
    failed: Mapping[str, int]
    offered_rps: float
    ok_rps: float
    errors_ratio: float
    response_s: Mapping[str, float]
    service_s: Mapping[str, float]
    lag_p99_s: float | None
    attempts_per_arrival: float
    messages: Messages | None = None


@dataclass(frozen=True, slots=True)
class DomainFinding:
    """A figure by which the target's own trade is judged, as its manifest declares it, over the run and `by_phase`.

    `value` None: it could not be measured, for `reason`. `unit` is `s`, `ratio`, `x` (a multiple) or any word.
    """

    name: str
    title: str
    unit: str
    value: float | None
    reason: str
    by_phase: Mapping[str, float | None]
    help: str = ""


@dataclass(frozen=True, slots=True)
class FaultResult:
    """One fault with its real window and its receipts (as dictionaries of the record)."""

    id: str
    kind: str
    title: str
    planned_start_s: float
    planned_end_s: float
    applied_s: float | None
    lifted_s: float | None
    receipts: tuple[Mapping[str, Any], ...]
    effective: bool | None
    clean_after: bool | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """How one stream came back after `trigger` (a fault's lifting or the surge's end) at `since_s`.

    `first_good_s` and `stays_good_s` are durations from `since_s`; None: not within the run. `came_back` False with
    load back at baseline is the metastable failure, None is not known, for `reason`. `unsettled_s` is how long it was
    watched in vain where it did not settle. `backlog` is work in queues when the run ended.
    """

    stream: str
    trigger: str
    since_s: float
    first_good_s: float | None
    stays_good_s: float | None
    came_back: bool | None
    backlog: float
    amplification: float
    reason: str = ""
    unsettled_s: float | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One condition under which the run proves anything: `ok` False makes the verdict inconclusive."""

    name: str
    ok: bool
    statement: str


@dataclass(frozen=True, slots=True)
class Result:
    """Everything the analysis says. `headline` is the verdict in one sentence.

    `invariants` must hold whatever the target does (every arrival accounted for, links clean again); one that does not
    makes the run inconclusive like a check of `validity`. `unexplained` is the share of the arrivals that failed or
    came late for which no cause was found (0 … 1).
    """

    version: int
    scenario: str
    title: str
    verdict: Verdict
    headline: str
    reasons: tuple[str, ...]
    objectives: tuple[ObjectiveResult, ...]
    bottlenecks: tuple[Bottleneck, ...]
    ladder: tuple[Rung, ...]
    streams: Mapping[str, Mapping[str, StreamPhase]]
    faults: tuple[FaultResult, ...]
    recovery: tuple[Recovery, ...]
    validity: tuple[Check, ...]
    expected_bottleneck: str | None
    expectation_met: bool | None
    invariants: tuple[Check, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    unexplained: float = 0.0
    domain_findings: tuple[DomainFinding, ...] = ()


def leading(bottlenecks: Sequence[Bottleneck], unexplained: float) -> Bottleneck | None:
    """Return the finding that may stand for the run: the first, unless most of the harm is `unexplained` (a ratio)."""
    first = bottlenecks[0] if bottlenecks else None
    counted = first is not None and first.explains is not None
    return None if counted and unexplained > MOSTLY else first
