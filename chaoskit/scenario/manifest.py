"""The target manifest, `target.yaml`: components, links, settings, resources, flows."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from chaoskit.expression import parse
from chaoskit.scenario.mapping import ResourceMetrics
from chaoskit.scenario.quantities import ContainerFolder, ContainerUser, Cores, Memory, Name, Plain, PositiveDuration
from chaoskit.scenario.strict import Strict


class Protocol(Strict):
    """How a port is asked for a sign of life: a known protocol by name, or text sent and the answer expected."""

    name: Literal["http", "postgres", "redis", "tcp"] | None = None
    path: str = Field(default="/", pattern=r"^/[!-~]*$")
    """With `http`: the path that is asked for."""
    send: str | None = Field(default=None, min_length=1, max_length=1000)
    expect: str | None = Field(default=None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _either_form(self) -> Self:
        if (self.name is None) == (self.send is None) or (self.send is None) != (self.expect is None):
            message = 'a protocol is a name (http, postgres, redis, tcp), or both `send: "…"` and `expect: "…"`'
            raise ValueError(message)
        return self


def _by_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


PortProtocol = Annotated[
    Protocol,
    BeforeValidator(_by_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["http", "postgres", "redis", "tcp"]},
                {
                    "type": "object",
                    "properties": {"send": {"type": "string"}, "expect": {"type": "string"}},
                    "required": ["send", "expect"],
                },
                {"type": "object", "properties": {"name": {"type": "string"}, "path": {"type": "string"}}},
            ]
        }
    ),
]


class Port(Strict):
    """A port that the component listens on."""

    protocol: PortProtocol = Protocol(name="tcp")
    number: int | None = Field(default=None, ge=1, le=65535, examples=[8080])
    """With `compose`: its number inside the container."""


class Ready(Strict):
    """How a component shows that it is ready: HTTP 2xx on `http`, or a connect where that is left out."""

    port: str = Field(examples=["http"])
    http: str | None = Field(default=None, pattern=r"^/[!-~]*$", examples=["/ready"])
    timeout: PositiveDuration = 30.0


class Metrics(Strict):
    """Where the component's Prometheus text is."""

    port: str = Field(examples=["metrics"])
    path: str = Field(default="/metrics", pattern=r"^/[!-~]*$")
    component: str | None = Field(default=None, examples=["postgres-exporter"])
    """The component that serves it, where that is another one: an exporter."""


class Setting(Strict):
    """A typed knob of a component, with the unit in which the component takes it."""

    type: Literal["integer", "number", "duration", "rate", "size", "ratio", "boolean", "choice", "text"] = Field(
        examples=["integer"]
    )
    unit: str | None = Field(default=None, examples=["ms"])
    """The unit in which the component takes it: `us` … `h`, `B` … `GiB`, `/s` … `/h`, or `%`."""
    default: Plain = Field(examples=[16])
    minimum: Plain | None = None
    maximum: Plain | None = None
    choices: list[str] | None = Field(default=None, min_length=1)
    help: str = ""


class Resource(Strict):
    """Something of the component that can run out, by the `resource` label of its metrics or by `metrics`."""

    kind: Literal["pool", "server", "queue", "limiter", "cpu", "link"] = Field(examples=["pool"])
    sized_by: str | None = None
    """The setting that sizes it, of this component (`db_pool`) or another (`engine.queue_limit`)."""
    feeds: str | None = None
    """For a queue: the resource that takes from it."""
    metrics: ResourceMetrics | None = Field(default=None, examples=[{"servers": 8, "busy": "pool_usage_seconds_sum"}])
    """Where its figures stand in a third party's metrics."""
    waits_for: list[str] = Field(default=[], max_length=8)
    """What it is held for, where its metrics do not tell: a resource of this component (`pool`), a link (`api->db`)."""
    help: str = ""


class Compose(Strict):
    """A compose file of your own, whose services are the components."""

    file: str | list[str] = Field(min_length=1, examples=["docker-compose.yaml"])
    """The compose file, seen from the manifest's folder; several are merged as `docker compose -f … -f …` does."""
    profiles: list[str] = Field(default=[])
    """Profiles that are switched on."""

    @property
    def files(self) -> list[str]:
        """The file or files, as a list."""
        return [self.file] if isinstance(self.file, str) else self.file


class Build(Strict):
    """An image that is built from a folder; built once, and again only when something in it has changed."""

    context: str = "."
    """The folder, seen from the manifest's; its `.dockerignore` counts."""
    dockerfile: str = Field(default="Dockerfile", min_length=1)
    """The Dockerfile, seen from the context."""
    args: dict[str, str] = Field(default={}, examples=[{"BASE": "python:3.13-slim"}])
    """Build arguments; the environment variable CHAOSKIT_BUILD_ARGS changes them for one machine."""


def _one_image(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": ["image"]}, {"required": ["build"]}]


class Container(Strict):
    """How the component runs in a container: with a read-only root, as no privileged user, without capabilities."""

    model_config = ConfigDict(json_schema_extra=_one_image)

    image: str | None = Field(default=None, min_length=1, examples=["postgres:17"])
    """An image by name; pulled where it is not there."""
    build: Build | None = None
    command: list[Annotated[str, Field(min_length=1)]] | None = None
    """In place of the component's own `command`; `[]` leaves it to the image."""
    user: ContainerUser = "65534:65534"
    """`UID:GID`, or names that the image knows."""
    memory: Memory | None = None
    """The most memory that it may use, tmpfs included; above it, it is killed."""
    cpus: Cores | None = None
    """The most CPU that it may use, in cores; makes its CPU a resource."""
    pids: int = Field(default=1024, ge=1, le=1_000_000)
    """The most processes and threads."""
    writable: list[ContainerFolder] = Field(default=[], examples=[["/var/run"]])
    """Folders that it may write to beside `{workdir}`; like /tmp they are in memory, and empty at each start."""
    ports: dict[Name, Annotated[int, Field(ge=1, le=65535)]] = Field(default={}, examples=[{"sql": 5432}])
    """The ports as the container has them, where its command does not take them from `{ports.NAME}`."""

    @model_validator(mode="after")
    def _has_one_image(self) -> Self:
        if (self.image is None) == (self.build is None):
            message = "a container has either `image` or `build`; keep one of them"
            raise ValueError(message)
        return self


class Component(Strict):
    """One part of the target: a process (`command`), a container, or either, as the machine allows."""

    per: Literal["region", "target"] = "target"
    """Whether it exists once per region or once."""
    where: dict[str, Plain | list[Plain]] = Field(default={}, examples=[{"api.login": "required"}])
    """The component exists only where these settings have these values (of a list, any); where it does not, links to it
    and arguments that hand over its address are left out with it."""
    entry: bool = False
    """Whether load enters here."""
    command: list[Annotated[str, Field(min_length=1)]] | None = Field(
        default=None, min_length=1, examples=[["{python}", "-m", "shop.api"]]
    )
    """The program; `{python}`, `{host}` (what to listen on), `{ports.NAME}`, `{links.NAME}`, `{settings.NAME}`,
    `{region}`, `{seed}`, `{workdir}` are filled in."""
    container: Container | None = None
    service: str | None = Field(default=None, min_length=1, examples=["web"])
    """With `compose`: the service that it is, where that is called otherwise."""
    environment: dict[str, str] = Field(default={})
    """Variables of the process; with `compose`, added to those of the service."""
    directory: str = "."
    """The folder it starts in, seen from the manifest's."""
    links: list[str] = Field(default=[])
    """Components that it calls; each link runs through a proxy."""
    ports: dict[Name, Port] = Field(default={}, examples=[{"http": {"protocol": "http"}}])
    """Links lead to the first one. Left out where nothing calls the component, as with a worker."""
    ready: Ready | None = None
    metrics: Metrics | None = None
    cores: int | None = Field(default=None, ge=1, le=1024)
    """How many cores its process can use at most (1 for a plain Python server); makes its CPU a resource."""
    settings: dict[Name, Setting] = Field(default={})
    resources: dict[Name, Resource] = Field(default={})

    @property
    def has_own_cpu(self) -> bool:
        """Whether its CPU is a resource: it can use so many cores and no more."""
        return self.cores is not None or (self.container is not None and self.container.cpus is not None)


class Figure(Strict):
    """A figure of the target's own trade, charted by metric name."""

    metric: str = Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
    component: str
    unit: str = ""
    title: str


def _expression(text: str) -> str:
    parse(text)
    return text


class DomainFinding(Strict):
    """A figure by which the target's own trade is judged, computed from its metrics once a run is over."""

    title: str = Field(min_length=1, max_length=200)
    value: Annotated[str, Field(max_length=2000), AfterValidator(_expression)] = Field(
        examples=["increase(forced_total) / increase(initial_total)"]
    )
    """What it comes to: `increase` of counters, `first`, `last`, `max`, `min` of anything, `p50` … `p99.9` of a
    histogram, numbers, + - * / and parentheses. Labels choose series: `increase(sold_total{why="forced"})`."""
    component: str | None = None
    """The component whose metrics are meant, where others have some of that name."""
    unit: str = Field(default="", max_length=20, examples=["s"])
    """`s`, `ratio` (told in percent), `x` (a multiple), or any word."""
    help: str = Field(default="", max_length=1000)


class Flow(Strict):
    """What one arrival does: a Python function `module:function` next to the manifest."""

    python: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", examples=["shop.flows:buy"])
    error_code: str | None = Field(default=None, min_length=1, examples=["code"])
    """The field of a JSON error body that says what was wrong: failures are then told apart by it, too."""
    help: str = ""


class Manifest(Strict):
    """A target: what it is made of and how it is started, linked, set and watched."""

    model_config = ConfigDict(title="chaoskit target")

    version: Literal[1] = Field(examples=[1])
    name: Name = Field(examples=["shop"])
    title: str = ""
    regions: list[Name] = Field(default=["local"], min_length=1, max_length=16)
    """The regions played where a scenario names none."""
    compose: Compose | None = None
    """Where the components are services of a compose file, which then says how they start."""
    components: dict[Name, Component] = Field(
        min_length=1, max_length=64, examples=[{"api": {"command": ["./api"], "entry": True}}]
    )
    figures: list[Figure] = Field(default=[])
    findings: dict[Name, DomainFinding] = Field(default={}, max_length=64)
    """What a run says of the target's own trade, by name: in the report, in comparisons, and as objectives
    (`finding NAME < 1.2`)."""
    flows: dict[Name, Flow] = Field(default={})
    credentials: dict[str, str] = Field(default={})
    """Handed to flows."""

    def setting_models(self) -> dict[str, Setting]:
        """Return every setting by its full name, `component.setting`."""
        return {
            f"{name}.{setting}": model
            for name, component in self.components.items()
            for setting, model in component.settings.items()
        }
