"""Where the figures of a resource stand in somebody else's metrics, as a manifest writes it."""

from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from typing_extensions import TypeAliasType

from chaoskit.scenario.strict import Strict
from chaoskit.selector import Selector

_SERIES_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "examples": ["pool_connections_max", 'pool_connections{state="used"}'],
}
_LIST_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [_SERIES_SCHEMA, {"type": "array", "items": _SERIES_SCHEMA, "minItems": 1}]
}
_SHORT_FORMS: Final[list[dict[str, Any]]] = [*_LIST_SCHEMA["anyOf"], {"type": "number", "minimum": 0}]


def _series(text: str) -> str:
    Selector.parse(text)
    return text


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Series = Annotated[
    list[Annotated[str, AfterValidator(_series)]],
    BeforeValidator(_as_list),
    Field(min_length=1),
    WithJsonSchema(_LIST_SCHEMA),
]


class Quantity(Strict):
    """One figure: a sum over series, a constant, or the value of a setting."""

    sum: Series | None = Field(default=None, examples=["pool_connections_max"])
    """Series by name, or by name and labels as in PromQL; all that match are added up."""
    minus: Series | None = None
    """Series that are taken off the sum."""
    scale: float = Field(default=1.0, gt=0)
    """What the figure is multiplied with: 0.001 makes seconds of milliseconds."""
    offset: float = 0.0
    """What is added to it then: -1 takes off the connection on which the metrics are asked for."""
    setting: str | None = Field(default=None, examples=["pool_size"])
    """A setting of this component (`pool_size`) or another (`api.pool_size`), instead of series."""
    constant: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [self.sum, self.setting, self.constant, getattr(self, "level", None)]
        if sum(source is not None for source in sources) != 1:
            message = "a quantity is a metric name, a list of them, a number, or a mapping with one of "
            raise ValueError(message + ", ".join(f"`{name}`" for name in self._sources()))
        if self.minus is not None and self.sum is None and getattr(self, "level", None) is None:
            message = "`minus` is taken off series; name those that it is taken off"
            raise ValueError(message)
        return self

    @classmethod
    def _sources(cls) -> list[str]:
        return [name for name in ("sum", "level", "setting", "constant") if name in cls.model_fields]


class Busy(Quantity):
    """Server-seconds in use: a counter of them, or how many servers are in use (`level`), added up over time."""

    level: Series | None = Field(default=None, examples=['pool_connections{state="used"}'])


def _short_form(value: object) -> object:
    if isinstance(value, str | list):
        return {"sum": value}
    return {"constant": float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else value


def _schema(model: type[Quantity]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*_SHORT_FORMS, model.model_json_schema()]})


# Aliases with a name: the schema then has each once, and not at every key.
AnyQuantity = TypeAliasType("AnyQuantity", Annotated[Quantity, BeforeValidator(_short_form), _schema(Quantity)])
AnyBusy = TypeAliasType("AnyBusy", Annotated[Busy, BeforeValidator(_short_form), _schema(Busy)])


class ResourceMetrics(Strict):
    """Each figure of a resource (design: resource metrics) from a third party's metrics; counters are cumulative."""

    servers: AnyQuantity | None = Field(default=None, examples=["pool_connections_max"])
    """How many can be served at once."""
    busy: AnyBusy | None = Field(default=None, examples=[{"level": 'pool_connections{state="used"}'}])
    """Server-seconds in use."""
    blocked: dict[str, AnyQuantity] = Field(default={})
    """The part of `busy` that waited for another resource (`pool`) or for a link (`api->database`)."""
    arrivals: AnyQuantity | None = None
    completions: AnyQuantity | None = None
    rejections: AnyQuantity | None = None
    wait: AnyQuantity | None = None
    """Seconds spent waiting for a server."""
    queue_length: AnyQuantity | None = None
    queue_limit: AnyQuantity | None = None

    def quantities(self) -> dict[str, Quantity]:
        """Return every quantity by its place below `metrics`: `busy`, `blocked.api->database`."""
        plain = {name: getattr(self, name) for name in type(self).model_fields if name != "blocked"}
        told = {name: quantity for name, quantity in plain.items() if quantity is not None}
        return {**told, **{f"blocked.{on}": quantity for on, quantity in self.blocked.items()}}
