"""What clients do besides asking once: which entry they go to, when they try again, when they ask twice."""

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from chaoskit.scenario.quantities import Duration, PositiveDuration, Ratio
from chaoskit.scenario.strict import Strict

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Route = Literal["round_robin", "pinned", "failover"]

ERRORS: Final = ("refused", "unreachable", "reset", "closed", "timeout", "bad_answer")
_ROUTES: Final = ("round_robin", "pinned", "failover")
_STATUS: Final = re.compile(r"status ([1-5]\d\d|[45]xx)|rpc -?\d{1,9}")
_IDEMPOTENT: Final[tuple[Method, ...]] = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")


def _condition(text: str) -> str:
    if text not in ERRORS and not _STATUS.fullmatch(text):
        words = f"`status 503`, `status 5xx`, `rpc -32005`, or one of {', '.join(ERRORS)}"
        message = f"{text!r} is nothing to retry on; use {words}"
        raise ValueError(message)
    return text


Condition = Annotated[
    str,
    AfterValidator(_condition),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(ERRORS)}|{_STATUS.pattern})$", "examples": ["reset"]}),
]


class Retries(Strict):
    """When a request is sent again. A naive client is one without `budget` and `backoff`: nothing holds it back."""

    attempts: int = Field(default=3, ge=2, le=20)
    """How often a request is sent at most, the first time included (as `maxAttempts` of a gRPC service config)."""
    on: list[Condition] = Field(
        default=["refused", "unreachable", "reset", "closed", "status 503"],
        min_length=1,
        max_length=32,
        examples=[["reset", "status 503"]],
    )
    """What is tried again: `status 503`, `status 5xx`, `rpc -32005`, `refused`, `unreachable`, `reset`, `closed`,
    `timeout`, `bad_answer`."""
    methods: list[Method] = Field(default=[*_IDEMPOTENT], min_length=1, examples=[["GET", "POST"]])
    """The methods that are sent again whatever became of the first try; the idempotent ones where this is left out.
    With POST or PATCH here a request may be carried out twice. One that could not even connect is sent again anyway."""
    budget: Ratio | None = None
    """Retries may be at most this share of the stream's requests; no bound where this is left out."""
    reserve: int = Field(default=10, ge=1, le=10_000)
    """With `budget`: so many retries a load process may make at once on top of it, so that a quiet stream can retry."""
    backoff: Duration = 0.0
    """The pause before the first retry; it doubles with each further one. 0s: at once."""
    backoff_max: PositiveDuration = 1.0
    """The longest pause that `backoff` grows to."""
    jitter: Literal["full", "none"] = "full"
    """`full` draws each pause between zero and its length, so that clients do not come back all at one moment."""
    retry_after: bool = False
    """Wait as long as a `Retry-After` header of the answer says, in place of the pause."""
    per_try_timeout: PositiveDuration | None = None
    """How long one try may take; until the stream's `timeout` where this is left out."""

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if "timeout" in self.on and self.per_try_timeout is None:
            message = "a retry on `timeout` needs `per_try_timeout`: without it no time is left for a retry"
            raise ValueError(message)
        if self.backoff > self.backoff_max:
            message = "`backoff` is longer than `backoff_max`; make it at most as long"
            raise ValueError(message)
        return self


class Hedge(Strict):
    """When a request is sent a second time before the first has failed; the first whole answer is taken."""

    after: PositiveDuration = Field(examples=["30ms"])
    """How long to wait for an answer before the second request goes out, to the next entry where there is one."""
    methods: list[Method] = Field(default=["GET", "HEAD"], min_length=1)
    """The methods that are sent twice; those that only read where this is left out."""
    budget: Ratio | None = None
    """Second requests may be at most this share of the stream's requests; no bound where this is left out."""


class Clients(Strict):
    """How a stream's clients behave."""

    route: Route = "round_robin"
    """How arrivals choose among several entries: in turn, by their home, or by their home until it fails."""
    retries: Retries | None = None
    hedge: Hedge | None = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the word form, too."""
        return {"anyOf": [{"type": "string", "enum": [*_ROUTES]}, handler(core)]}


def _by_word(value: object) -> object:
    if isinstance(value, dict | Clients):
        return value
    if value not in _ROUTES:
        message = f"`clients` is {value!r} and must be one of {', '.join(_ROUTES)}, or a mapping with `route`"
        raise ValueError(message)
    return {"route": value}


ClientsOrRoute = Annotated[Clients, BeforeValidator(_by_word)]
