"""The faults that a scenario can declare, one model per kind: those of links and regions; the entry with its window."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from chaoskit.scenario.component_faults import CpuLimit, Kill, MemoryLimit, Pause, Restart, Stop
from chaoskit.scenario.fault import Fault
from chaoskit.scenario.quantities import (
    Bandwidth,
    Duration,
    Name,
    PositiveDuration,
    Size,
    SizeOrNone,
    ToxicDelay,
    Toxicity,
)
from chaoskit.scenario.strict import Strict
from chaoskit.units import format_duration, format_size


class LinkFault(Fault):
    """A fault on TCP links."""

    link: str = Field(examples=["gateway->positions"])
    """A link by its kind, `gateway->positions` (that is all regions), or one by its full name,
    `gateway@us-east-1->positions@us-east-1`."""


class Toxic(LinkFault):
    """A fault on links that Toxiproxy has a toxic for."""

    toxicity: Toxicity = 1.0
    """The share of new connections that it touches."""
    stream: Literal["downstream", "upstream"] = "downstream"
    """The direction: `downstream` is the answers, `upstream` the requests."""


class Latency(Toxic):
    """Every piece of data comes later."""

    kind = "latency"
    delay: ToxicDelay = Field(examples=["40ms"])
    jitter: Duration = 0.0
    """The delay varies by up to this much either way."""

    @model_validator(mode="after")
    def _jitter_fits(self) -> Self:
        if self.jitter > self.delay:
            message = "`jitter` is more than `delay`, and no delay can be negative; make it at most the delay"
            raise ValueError(message)
        return self

    def _amount(self) -> str:
        return f" {format_duration(self.delay)}" + (f" ± {format_duration(self.jitter)}" if self.jitter else "")


class BandwidthLimit(Toxic):
    """Data passes no faster than this."""

    kind = "bandwidth"
    rate: Bandwidth = Field(examples=["64KB/s"])

    def _amount(self) -> str:
        return f" {format_size(self.rate)}/s"


class SlowClose(Toxic):
    """A connection stays open for a while after it was closed."""

    kind = "slow_close"
    delay: ToxicDelay = Field(examples=["2s"])

    def _amount(self) -> str:
        return f" {format_duration(self.delay)}"


class Timeout(Toxic):
    """No data passes; the connection is closed after a while, or never where `after` is 0s."""

    kind = "timeout"
    after: Duration = 0.0

    def _amount(self) -> str:
        return f" after {format_duration(self.after)}" if self.after else ""


class ResetPeer(Toxic):
    """Connections are reset (TCP RST), at once or after a while."""

    kind = "reset_peer"
    after: Duration = 0.0

    def _amount(self) -> str:
        return f" after {format_duration(self.after)}" if self.after else ""


class Slicer(Toxic):
    """Data comes in small pieces with a pause after each."""

    kind = "slicer"
    size: Size = Field(examples=["64B"])
    """The average size of a piece."""
    variation: SizeOrNone = Field(default=0, examples=["16B"])
    """Pieces vary by up to this much; less than `size`."""
    delay: Duration = 0.0
    """The pause after each piece."""

    @model_validator(mode="after")
    def _variation_fits(self) -> Self:
        if self.variation >= self.size:
            message = "`variation` is not less than `size`, and no piece can be empty; make it smaller"
            raise ValueError(message)
        return self

    def _amount(self) -> str:
        return f" {format_size(self.size)}"


class LimitData(Toxic):
    """A connection is closed once this much has passed."""

    kind = "limit_data"
    limit: Size = Field(examples=["64KB"])

    def _amount(self) -> str:
        return f" {format_size(self.limit)}"


class Down(LinkFault):
    """The link refuses connections and cuts those that are open."""

    kind = "down"


class RegionDown(Fault):
    """A cloud region is lost: every link with one end in it suffers."""

    kind = "region_down"
    region: Name = Field(examples=["us-east-1"])
    mode: Literal["refuse", "blackhole", "reset", "degraded"] = "refuse"
    """How it is lost: connections are refused, swallowed in silence, reset, or reset for a `share` of them."""
    share: Toxicity | None = Field(default=None, examples=["30%"])
    """With `degraded`: the share of connections that is reset."""

    @model_validator(mode="after")
    def _share_fits(self) -> Self:
        if self.mode == "degraded" and self.share is None:
            message = "`mode: degraded` needs a `share`, like `share: 30%`"
            raise ValueError(message)
        if self.mode != "degraded" and self.share is not None:
            message = f"`share` goes with `mode: degraded` only, not with {self.mode}; leave one of them out"
            raise ValueError(message)
        return self

    def _amount(self) -> str:
        return f" ({self.mode})" if self.share is None else f" ({self.mode}, {self.share * 100:g}% of connections)"


class Partition(Fault):
    """Regions lose each other: every link between two of them is cut, those of the clients are not."""

    kind = "partition"
    regions: list[Name] = Field(min_length=2, max_length=16, examples=[["us-east-1", "eu-west-1"]])
    mode: Literal["blackhole", "refuse"] = "blackhole"
    """How links are cut: data is swallowed in silence, or connections are refused."""

    def _amount(self) -> str:
        return f" ({self.mode})"

    def _place(self) -> str:
        return f"between {', '.join(self.regions[:-1])} and {self.regions[-1]}"


KINDS: Final[Mapping[str, type[Fault]]] = {
    model.kind: model
    for model in (
        Latency,
        BandwidthLimit,
        SlowClose,
        Timeout,
        ResetPeer,
        Slicer,
        LimitData,
        Down,
        RegionDown,
        Partition,
        Kill,
        Stop,
        Pause,
        Restart,
        CpuLimit,
        MemoryLimit,
    )
}


def _one_kind(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [kind]} for kind in KINDS]


class FaultEntry(Strict, json_schema_extra=_one_kind):
    """One fault with its window: it starts `at` into its phase and is lifted after `for`, or at the phase's end."""

    latency: Latency | None = None
    bandwidth: BandwidthLimit | None = None
    slow_close: SlowClose | None = None
    timeout: Timeout | None = None
    reset_peer: ResetPeer | None = None
    slicer: Slicer | None = None
    limit_data: LimitData | None = None
    down: Down | None = None
    region_down: RegionDown | None = None
    partition: Partition | None = None
    kill: Kill | None = None
    stop: Stop | None = None
    pause: Pause | None = None
    restart: Restart | None = None
    cpu_limit: CpuLimit | None = None
    memory_limit: MemoryLimit | None = None
    during: Name = Field(examples=["surge"])
    """The phase it falls into."""
    at: Duration = 0.0
    """How long after the phase's start it begins."""
    length: PositiveDuration | None = Field(default=None, alias="for")
    """How long it lasts; to the end of the phase where this is left out."""

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            shown = " and ".join(f"`{kind}`" for kind in given) or "no kind of fault"
            message = f"a fault has exactly one kind, and this one has {shown}; the kinds are {', '.join(KINDS)}"
            raise ValueError(message)
        if self.length is not None and self.fault.own_length_s() is not None:
            message = f"a {given[0]} ends by itself once its `delay` is over; leave `for` out"
            raise ValueError(message)
        return self

    @property
    def lasts_s(self) -> float | None:
        """How long it lasts; None: to the end of its phase."""
        own_s = self.fault.own_length_s()
        return self.length if own_s is None else own_s

    @property
    def fault(self) -> Fault:
        """The one fault of this entry."""
        given = (getattr(self, kind) for kind in KINDS)
        return next(fault for fault in given if isinstance(fault, Fault))
