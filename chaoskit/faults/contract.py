"""The contract of a fault kind.

A kind says which parameters it takes, what it does in each of its places, and what was seen there proves. A place is a
link (toxics, or a closed door; the kind also says how to ask it so that the effect shows) or an instance of a component
(its life, or limits on it). A kind is a value without state, does no I/O and is safe to share. What it must keep, and
`tests/faults/test_conformance.py` holds every kind to, on both servers and on real processes:

1. `action` is pure: the same fault gives the same action, all within what Toxiproxy accepts *and* means.
2. While it is applied, a probe through the link differs from one past it, and a look at the instance from one before,
   as `describe` says; `judge` sees this.
3. Once lifted, the place is as before (an instance alive and ready), and `judge` says so in `after`.
4. `judge` claims nothing that was not seen: `effective` is None when probes or looks cannot tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from chaoskit.faults.parameters import Parameter
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample, VitalsSample

Stream = Literal["downstream", "upstream"]
Question = Literal["sign", "volume", "close"]
Life = Literal["running", "paused", "stopped", "killed"]


@dataclass(frozen=True, slots=True)
class Toxic:
    """A toxic in the words and integer units of Toxiproxy's API; `toxicity` is the share of connections, 0 … 1."""

    type: str
    attributes: Mapping[str, int]
    stream: Stream = "downstream"
    toxicity: float = 1.0


_DELAYING: Final = frozenset({"latency", "bandwidth", "slicer", "slow_close"})


@dataclass(frozen=True, slots=True)
class LinkAction:
    """What a fault does to one link: add toxics, or stop listening (`enabled` False)."""

    toxics: tuple[Toxic, ...] = ()
    enabled: bool = True

    @property
    def only_delays(self) -> bool:
        """Whether all that is sent arrives in the end, so that connections can outlive the fault."""
        return self.enabled and all(toxic.type in _DELAYING for toxic in self.toxics)


@dataclass(frozen=True, slots=True)
class InstanceAction:
    """What a fault does to one instance: takes its life in one way or another, or limits what it may use (None: not).

    `stopped` is asked to end (SIGTERM), `killed` is not (SIGKILL).
    """

    life: Life = "running"
    cores: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How a link is probed for one fault.

    `sign` asks for the shortest answer, `volume` for a long one, `close` also waits for the end of the connection.
    A probe that has not ended after `bound_s` counts as a time-out; a new one starts every `interval_s`.
    """

    question: Question = "sign"
    bound_s: float = 2.0
    interval_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Pair:
    """Two probes at one moment: `through` the proxy, as clients go, and `direct`, past it.

    Their difference is what the link does, whatever the load does to the component behind it.
    """

    through: ProbeSample
    direct: ProbeSample


@dataclass(frozen=True, slots=True)
class Observations:
    """The pairs of one fault on one link while no other fault was active there."""

    before: tuple[Pair, ...] = ()
    during: tuple[Pair, ...] = ()
    after: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks at one instance for one fault while no other fault was active on it.

    `back_s` is how long the lifting took, until an instance that had ended was ready again.
    """

    before: tuple[VitalsSample, ...] = ()
    during: tuple[VitalsSample, ...] = ()
    after: tuple[VitalsSample, ...] = ()
    back_s: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the probes or looks prove; the fields are those of `Receipt`."""

    delivered: str
    effective: bool | None
    measure: str
    unit: str
    before: float | None = None
    during: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that is applied at this moment, for a live view."""

    fault: PlannedFault
    since_s: float
    places: tuple[str, ...]


class FaultKind(Protocol):
    """One kind of fault on links."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What may stand in `PlannedFault.parameters`, besides `toxicity` and `stream` where the kind allows them."""
        ...

    def describe(self, fault: PlannedFault, /) -> str:
        """Return what is requested, as a sentence without its subject: `adds 40ms ± 10ms`."""
        ...

    def action(self, fault: PlannedFault, /) -> LinkAction:
        """Return what to do to each of the fault's links."""
        ...

    def inquiry(self, fault: PlannedFault, /) -> Inquiry:
        """Return how to probe a link so that the effect shows."""
        ...

    def judge(self, fault: PlannedFault, seen: Observations, /) -> Judgement:
        """Return what the probes prove about the effect."""
        ...


class ComponentFaultKind(Protocol):
    """One kind of fault on the instances of a component."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What may stand in `PlannedFault.parameters`."""
        ...

    def describe(self, fault: PlannedFault, /) -> str:
        """Return what is requested, as a sentence without its subject: `is killed`."""
        ...

    def action(self, fault: PlannedFault, /) -> InstanceAction:
        """Return what to do to each of the fault's instances."""
        ...

    def judge(self, fault: PlannedFault, seen: Looks, /) -> Judgement:
        """Return what the looks prove about the effect."""
        ...
