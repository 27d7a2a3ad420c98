"""The scenario file: target, load, phases, faults, objectives."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, RootModel, WithJsonSchema, model_validator

from chaoskit.scenario.arrivals import Arrivals, ArrivalsOrWord
from chaoskit.scenario.clients import Clients, ClientsOrRoute
from chaoskit.scenario.faults import FaultEntry
from chaoskit.scenario.objectives import AbortText, ObjectiveText
from chaoskit.scenario.quantities import (
    Cores,
    Duration,
    HostAndPort,
    Memory,
    Name,
    Plain,
    PlainUrl,
    PositiveDuration,
    Rate,
    Ratio,
    Url,
)
from chaoskit.scenario.strict import Strict
from chaoskit.scenario.subscription import Subscription
from chaoskit.scenario.upstreams import Upstream
from chaoskit.scenario.variants import Variants

ALL_STREAMS: Final = "*"
"""The key under which `multiply: 100`, one number for every stream, is kept."""

MAX_MULTIPLE: Final = 1e6
_FLOWS: Final = ("flow", "request", "subscribe", "python", "locustfile")


def _one_source(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["use"]}, {"required": ["external"]}]


class Limits(Strict):
    """What a component's containers may use at most; replaces what the manifest says."""

    cpus: Cores | None = Field(default=None, examples=[0.5])
    """CPU in cores."""
    memory: Memory | None = None


class Tls(Strict):
    """Whom the load generator believes to be the system under test."""

    authorities: str | None = Field(default=None, min_length=1, examples=["ca.pem"])
    """A file of certificates (PEM) next to the scenario, in place of those that this machine believes."""
    verify: bool = True
    """Whether certificates are looked at, at all."""


class Target(Strict):
    """The system under test: a manifest by name or path, or the URLs of something that runs already."""

    model_config = ConfigDict(json_schema_extra=_one_source)

    use: str | None = Field(default=None, examples=["./shop/target.yaml"])
    """A built-in target's name, or the path of a target.yaml."""
    external: dict[Name, Url] | None = Field(default=None, min_length=1, examples=[{"api": "http://127.0.0.1:8080"}])
    """Base URLs by name, of a system that runs already."""
    tls: Tls = Tls()
    """With `https://` URLs: whose certificates are believed."""
    upstreams: dict[Name, Upstream] = Field(default={}, max_length=64)
    """With `external`: what the system itself calls, by name; the link to each is `system->NAME`."""
    driver: Literal["auto", "process", "docker", "compose", "external"] = "auto"
    """How components come up: as containers (`docker`) or as processes on loopback (`process`); `auto` takes containers
    where the target has them and a Docker engine answers."""
    regions: list[Name] = Field(default=[], max_length=16)
    """The regions to play; the manifest's own where this is left out."""
    placement: dict[str, Name] = Field(default={}, examples=[{"ledger": "us-east-1"}])
    """The region in which a component that exists once stands, by component: it is lost with it, and a `partition` cuts
    it off from others. One that is not placed stands outside of all regions."""
    settings: dict[str, Plain] = Field(default={})
    """Settings of components, `component.setting: value`."""
    limits: dict[str, Limits] = Field(default={}, examples=[{"api": {"cpus": 0.5, "memory": "256MB"}}])
    """CPU and memory of components, which have to run in containers then."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.use is None) == (self.external is None):
            message = "a target has either `use` or `external`; keep one of them"
            raise ValueError(message)
        if self.external is not None and self.driver in {"process", "docker", "compose"}:
            message = f"`driver: {self.driver}` starts a target itself, and `external` runs already; leave `driver` out"
            raise ValueError(message)
        if self.use is not None and self.upstreams:
            message = "`upstreams` goes with `external`; a target.yaml declares `links` instead"
            raise ValueError(message)
        if self.tls != Tls() and not any(url.startswith("https:") for url in (self.external or {}).values()):
            message = "`tls` goes with `https://` URLs in `external`, and there is none; leave it out"
            raise ValueError(message)
        if self.use is not None and self.driver == "external":
            message = "`driver: external` needs the URLs; write `external:` with them in place of `use`"
            raise ValueError(message)
        return self


class RpcRequest(Strict):
    """A JSON-RPC 2.0 call; an error in its answer is a failure, also inside HTTP 200."""

    method: str = Field(min_length=1, max_length=256, examples=["eth_blockNumber"])
    params: list[Any] | dict[str, Any] = Field(default=[], examples=[["latest", False]])


class Request(Strict):
    """One fixed HTTP request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    path: str = Field(pattern=r"^/[!-~]*$", max_length=4096, examples=["/v1/quote"])
    """Path and query, beginning with `/`."""
    headers: dict[str, str] = Field(default={})
    body: str = ""
    jsonrpc: RpcRequest | None = None
    """The body as a JSON-RPC call, which is sent by POST."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.jsonrpc is not None and self.model_fields_set & {"method", "body"}:
            message = "a `jsonrpc` call has its own body and is sent by POST; leave `method` and `body` out"
            raise ValueError(message)
        return self


class Timeouts(Strict):
    """How long the stages of one request may take."""

    connect: PositiveDuration | None = Field(default=None, examples=["500ms"])
    """Until the connection stands; what takes longer is counted as `connect_timeout`."""
    first_byte: PositiveDuration | None = Field(default=None, examples=["1s"])
    """From the request to the first byte of its answer; what takes longer is counted as `timeout`."""


def _one_flow(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [name]} for name in _FLOWS]


class Stream(Strict):
    """One kind of load: what an arrival does, and how often one comes."""

    model_config = ConfigDict(json_schema_extra=_one_flow)

    flow: str | None = Field(default=None, examples=["trade"])
    """A flow of the target's manifest."""
    request: Request | None = None
    subscribe: Subscription | None = None
    """A WebSocket. An arrival is a new subscriber, and is answered when its first message comes; what follows is
    measured as `silence`, `age`, `messages` and `drops`."""
    python: str | None = Field(default=None, examples=["flows.py:buy"])
    """A Python function of your own, `file.py:function`, next to the scenario."""
    locustfile: str | None = Field(default=None, examples=["locustfile.py"])
    """A locustfile; its users run as they are (a closed model)."""
    rate: Rate | None = Field(default=None, examples=["10/s"])
    """Arrivals at baseline. With a tape it may be left out; else the tape is scaled, so that this is its mean there."""
    users: int | None = Field(default=None, ge=1, le=100_000, examples=[50])
    """With `locustfile`: users at baseline."""
    arrivals: ArrivalsOrWord = Field(default=Arrivals(), examples=["poisson"])
    """How arrivals come, in one word, or a mapping for bursts and for a recorded tape."""
    clients: ClientsOrRoute = Field(default=Clients(), examples=["failover"])
    """How arrivals choose among several entries, in one word, or a mapping that says when clients retry and hedge."""
    timeout: PositiveDuration = 10.0
    """How long an arrival may take in all, from the moment it is due."""
    timeouts: Timeouts = Timeouts()
    """How long the stages of each request may take; each within `timeout`."""
    error_code: str | None = Field(default=None, min_length=1, examples=["code"])
    """The field of a JSON error body that says what was wrong: failures are then `status 400 code -2019`. The target's
    own flows bring theirs."""

    @model_validator(mode="after")
    def _one_flow_with_its_rate(self) -> Self:
        given = [name for name in _FLOWS if getattr(self, name) is not None]
        if len(given) != 1:
            shown = " and ".join(f"`{name}`" for name in given) or "none"
            message = f"a stream has exactly one of {', '.join(f'`{name}`' for name in _FLOWS)}, and this has {shown}"
            raise ValueError(message)
        is_tape = self.arrivals.kind == "tape"
        if self.locustfile is None and ((self.rate is None and not is_tape) or self.users is not None):
            message = "an open stream is measured in arrivals; write `rate: 10/s` or the like, and no `users`"
            raise ValueError(message)
        if self.locustfile is not None and (self.users is None or self.rate is not None):
            message = "a locustfile's load is measured in users; write `users: 50` or the like, and no `rate`"
            raise ValueError(message)
        if self.locustfile is not None and self.timeouts != Timeouts():
            message = "a locustfile's users have a client of their own; `timeouts` is not for them"
            raise ValueError(message)
        for stage in ("connect", "first_byte"):
            if (getattr(self.timeouts, stage) or 0.0) > self.timeout:
                message = f"`timeouts.{stage}` is longer than the whole `timeout`; make it shorter"
                raise ValueError(message)
        if self.locustfile is not None and is_tape:
            message = "a locustfile's users make their own pace, and follow no tape; leave `arrivals` out"
            raise ValueError(message)
        if self.subscribe is not None and self.clients.hedge:
            message = "a subscription is no read that could be asked twice; leave `hedge` out"
            raise ValueError(message)
        if self.locustfile is not None and (self.clients.retries or self.clients.hedge):
            message = "a locustfile's users have a client of their own; `retries` and `hedge` are not for them"
            raise ValueError(message)
        return self


def _by_stream(value: object) -> object:
    return {ALL_STREAMS: value} if isinstance(value, int | float) and not isinstance(value, bool) else value


Multiple = Annotated[float, Field(ge=0, le=MAX_MULTIPLE)]
Multiples = Annotated[
    dict[str, Multiple],
    BeforeValidator(_by_stream),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_MULTIPLE},
                {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": MAX_MULTIPLE}},
            ],
            "examples": [{"trading": 100}],
        }
    ),
]


class PhaseBody(Strict):
    """How long a phase is and what it does to the load."""

    length: PositiveDuration = Field(alias="for", examples=["15s"])
    ramp: Duration = 0.0
    """How long the rates take from the phase before to this one's, in a straight line; 0s is a step."""
    multiply: Multiples = Field(default={})
    """Each stream's multiple of its baseline rate; 1 where this is left out. One number stands for all streams."""

    @model_validator(mode="after")
    def _ramp_fits(self) -> Self:
        if self.ramp > self.length:
            message = "`ramp` is longer than the phase itself (`for`); make it at most as long"
            raise ValueError(message)
        return self


class Phase(RootModel[Annotated[dict[Name, PhaseBody], Field(min_length=1, max_length=1)]]):
    """One phase: its name and body, `surge: {for: 40s}`."""

    @property
    def name(self) -> str:
        """The phase's name."""
        return next(iter(self.root))

    @property
    def body(self) -> PhaseBody:
        """The phase's length, ramp and multiples."""
        return next(iter(self.root.values()))


class Expectation(Strict):
    """A drill's own ground truth; checked and reported."""

    bottleneck: str = Field(examples=["shop/api.pool"])
    """A resource of the target without its region, `link:NAME`, `region:NAME`, `host.cpu`, or `none`. The part before
    `/` or `:` may be left out."""


class Generator(Strict):
    """How load is made."""

    workers: int = Field(default=1, ge=1, le=64)
    """Load processes."""
    connections: int = Field(default=2000, ge=1, le=60_000)
    """Connections that each process may hold to each entry."""
    remote_workers: int = Field(default=0, ge=0, le=1000)
    """Load workers on other machines (`chaoskit worker`) to wait for; then none is started here."""
    listen: HostAndPort = "127.0.0.1:5557"
    """Where they connect: an address of this machine that they can reach. Proxies that they load listen there, too."""
    max_lag: PositiveDuration = 0.05
    """Above this 99th percentile of its own lateness in a phase the generator proves nothing."""


class Incident(Strict):
    """The outage behind the scenario, shown in the report: what was told, and where the record differs."""

    article: str = Field(examples=["The venue went dark for an hour."])
    record: str = ""


class Scenario(Strict):
    """A bad day as one file."""

    model_config = ConfigDict(title="chaoskit scenario")

    version: Literal[1] = Field(examples=[1])
    name: Name = Field(examples=["black-friday"])
    title: str = Field(default="", max_length=200)
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Fixes arrivals and all that is drawn; the same file and seed give the same plan."""
    target: Target = Field(examples=[{"use": "./shop/target.yaml"}])
    load: dict[Name, Stream] = Field(
        min_length=1, max_length=32, examples=[{"quotes": {"flow": "quote", "rate": "10/s"}}]
    )
    phases: list[Phase] = Field(min_length=1, max_length=64, examples=[[{"baseline": {"for": "15s"}}]])
    faults: list[FaultEntry] = Field(default=[], max_length=256)
    objectives: list[ObjectiveText] = Field(default=[], max_length=256)
    abort_when: list[AbortText] = Field(default=[], max_length=64)
    """What must not last, by the second: `errors > 90% for 5s`; a percentile of few arrivals, over all of `for`."""
    expect: Expectation | None = None
    generator: Generator = Generator()
    toxiproxy: PlainUrl | None = Field(default=None, examples=["http://127.0.0.1:8474"])
    """A Toxiproxy server that runs already; one is found or started where this is left out."""
    steady_tolerance: Ratio = 0.25
    """How far baseline may wander and still count as steady."""
    incident: Incident | None = None
    variants: Variants = Field(default={}, max_length=32, examples=[{"bigger-pool": {"title": "Pool of 16"}}])
    """Changes over this scenario by name: `run --variant NAME` plays one, `--variant all` compares them."""

    def multiple(self, phase: Phase, stream: str) -> float:
        """Return the stream's multiple of its baseline rate in `phase`."""
        multiples: Mapping[str, float] = phase.body.multiply
        return multiples.get(stream, multiples.get(ALL_STREAMS, 1.0))
